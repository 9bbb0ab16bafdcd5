import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toCsv } from '../../src/console/export/csv.ts'
import type { ExportRow } from '../../src/console/queries/export-rows.ts'

async function fieldOf(valueText: string): Promise<string> {
  const row: ExportRow = {
    eventId: 'e',
    deviceId: 'd',
    eventType: 't',
    valueNum: null,
    valueText,
    valueExact: null,
    unit: null,
    ts: '1',
    tsDevice: null,
    tsDeviceRaw: null,
    schema: 1,
    meta: null,
    tsServer: '2',
  }
  async function* parts() {
    yield [row]
  }
  let text = ''
  for await (const part of toCsv(parts(), { bom: false, endLine: false, timeZone: null })) text += part
  const [, start = ''] = text.split('\r\ne,d,t,,')
  return start.slice(0, start.lastIndexOf(',,,1,,,2,1,\r\n'))
}

test('text that a spreadsheet would take as a formula or two fields stays text; a number stays a number', async () => {
  for (const [given, expected] of [
    ['=1+1', "'=1+1"],
    ['+x', "'+x"],
    ['-x', "'-x"],
    ['@x', "'@x"],
    ['＝1', "'＝1"],
    ['＋1', "'＋1"],
    ['－1', "'－1"],
    ['＠x', "'＠x"],
    ['\n=1', `"'\n=1"`],
    ['\r=1', `"'\r=1"`],
    ['\t=1', `"'\t=1"`],
    ['x;=1', '"x;=1"'],
    ['say "x"', '"say ""x"""'],
    ['-5', '-5'],
    ['+1.5e-3', '+1.5e-3'],
    ['-5+cmd', "'-5+cmd"],
    ['plain', 'plain'],
    ['', '""'],
    ['# no comment', '"# no comment"'],
    ['line #3', '"line #3"'],
  ] as const)
    assert.equal(await fieldOf(given), expected, JSON.stringify(given))
})
