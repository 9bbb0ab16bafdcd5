import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expand } from '../test/support/expand.ts'
import { AWKWARD_DEVICE, AWKWARD_TYPE, filledDatabase } from '../test/support/filled-database.ts'
import { readDashboards } from '../test/support/queries.ts'
import { connectReader } from '../test/support/reader.ts'
import { tableFields } from './answer-fields.ts'
import { openLibrary } from './open-library.ts'

const range = {
  from: new Date(Date.now() - 86_400_000),
  to: new Date(Date.now() + 60_000),
  intervalMs: 600_000,
}

test('variables: the library writes what the query tests assume', async (t) => {
  const library = await openLibrary(t)
  const values = [`o'b"r\\ien$word(x) %41`, 'é[[x]]${x}', ['a', 'b,c'], ['a'], [], '']
  for (const value of values)
    for (const text of ['${x:percentencode}', '${x:sqlstring}']) {
      const written = await library.interpolated(value, text)
      if (text.includes('sqlstring') && written.includes('$')) continue
      assert.equal(written, expand(text, { ...range, variables: { x: value } }), JSON.stringify(value))
    }
  const all = await library.interpolated(['$__all'], '${x:percentencode}')
  assert.equal(decodeURIComponent(all), '*')
})

test('tables and numbers: what the cells say', async (t) => {
  const library = await openLibrary(t)
  const ask = await connectReader(t, await filledDatabase(t))
  for (const [device, type] of [
    ['sim-0001', 'temp'],
    [AWKWARD_DEVICE, AWKWARD_TYPE],
  ] as const) {
    for (const { title, panels } of readDashboards()) {
      for (const panel of panels.filter((each) => ['table', 'stat'].includes(each.type))) {
        await t.test(`${title}: ${panel.title} (${device})`, async () => {
          const variables = { device, type, interval: '5m' }
          const answer = await ask(expand(panel.targets?.[0]?.rawSql ?? '', { ...range, variables }))
          if (answer.rows.length === 0) return
          for (const { name, cells } of await library.shownColumns(panel, tableFields(answer)))
            for (const cell of cells) {
              assert.ok(cell === '–' || cell !== panel.fieldConfig?.defaults.noValue, `${name}: ${cell}`)
              if (name === 'Payload (start)' || name === 'Meta' || name === 'Id') continue
              assert.doesNotMatch(cell, / {2}|µs|\b1 (hours|days|weeks|mins)\b|\d\.\d{8}/, `${name}: ${cell}`)
            }
        })
      }
    }
  }
})

test('a sensor called device_temp is a column like others, and the first is the link to the device', async (t) => {
  const library = await openLibrary(t)
  const panel = readDashboards()
    .flatMap(({ panels }) => panels)
    .find(({ title }) => title === 'Latest values')
  assert.ok(panel)
  const columns = await library.shownColumns(panel, [
    { name: 'Device', type: 'string', values: ['a', 'a', 'b'] },
    { name: 'Sensor', type: 'string', values: ['device_temp', 'humidity', 'humidity'] },
    { name: 'Value', type: 'string', values: ['21 °C', '40 %', '41 %'] },
  ])
  assert.deepEqual(columns, [
    { name: 'Device', hasLink: true, cells: ['a', 'b'] },
    { name: 'device_temp', hasLink: false, cells: ['21 °C', '–'] },
    { name: 'humidity', hasLink: false, cells: ['40 %', '41 %'] },
  ])
})
