import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { readLineProtocol } from '../../src/import/line-protocol.ts'
import type { SourceRecord } from '../../src/import/source-record.ts'

async function read(text: string): Promise<readonly SourceRecord[]> {
  const records: SourceRecord[] = []
  for await (const some of readLineProtocol(Readable.from([Buffer.from(text)]))) records.push(...some)
  return records
}

const shown = ({ columns, fields }: SourceRecord) => ({
  ...columns,
  fields: Object.fromEntries(fields ?? []),
})

test('tags, fields of every type, escapes and a time', async () => {
  const [one, two, three] = await read(
    [
      '# a comment',
      'weather,host=esp-1,room=living\\ room temp=21.5,ok=t,n=-3i,big=12u,door="open, \\"wide\\" = yes" 1764430000123456789',
      'a\\,b,k\\=1=v\\,2 f\\ 1=1e3',
      'm,t=\\back value=1 5\r',
    ].join('\n'),
  )
  assert.deepEqual(shown(one as SourceRecord), {
    ...{ _measurement: 'weather', host: 'esp-1', room: 'living room', _time: '1764430000123456789' },
    fields: { temp: 21.5, ok: true, n: -3, big: 12, door: 'open, "wide" = yes' },
  })
  assert.equal(one?.line, 2)
  assert.deepEqual(shown(two as SourceRecord), { _measurement: 'a,b', 'k=1': 'v,2', fields: { 'f 1': 1000 } })
  assert.deepEqual(shown(three as SourceRecord), {
    ...{ _measurement: 'm', t: '\\back', _time: '5', fields: { value: 1 } },
  })
})

test('what is no line protocol says where', async () => {
  const faults = await read(
    ['m', 'm,t=1', 'm f=', 'm f=abc 1', 'm f=1 soon', 'm f="open 1', 'm f=1,,g=2'].join('\n'),
  )
  assert.deepEqual(
    faults.map(({ fault }) => fault?.message.replace(/^.*?(?=at column|The value)/, '')),
    [
      ...['at column 2', 'at column 6', 'at column 3'],
      'The value of "f" is no number, no truth value and no text in quotes',
      ...['at column 6', 'at column 3', 'at column 7'],
    ],
  )
})
