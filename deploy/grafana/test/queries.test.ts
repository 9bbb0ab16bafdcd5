import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, types } from 'pg'
import { migrate } from '../../../packages/ingester/src/database/migrate.ts'
import { freshDatabase } from '../../../packages/ingester/test/support/postgres.ts'
import { type Choice, expand } from './support/expand.ts'
import { AWKWARD_DEVICE, AWKWARD_TYPE, filledDatabase } from './support/filled-database.ts'
import { type Query, queriesOf, readDashboards } from './support/queries.ts'
import { type Answer, connectReader } from './support/reader.ts'

const { BOOL, FLOAT8, INT4, INT8, TEXT, TIMESTAMPTZ } = types.builtins
const NUMBERS: readonly number[] = [FLOAT8, INT4, INT8]
const NAME = 19
const KNOWN: readonly number[] = [...NUMBERS, BOOL, TEXT, TIMESTAMPTZ, NAME]

const DAY_MS = 86_400_000
const range = { from: new Date(Date.now() - DAY_MS), to: new Date(Date.now() + 60_000), intervalMs: 600_000 }

/** As the drop-downs stand when a dashboard is opened; each of `device` and `type` of "One device" is one value there. */
const CHOICES: Readonly<Record<string, readonly Choice['variables'][]>> = {
  'Fleet overview': [{ silent: '15 minutes' }, { silent: '7 days' }],
  'One device': [
    { device: 'sim-0001', type: 'temp', interval: '5m' },
    { device: 'sim-0001', type: 'temp', interval: '1d' },
    { device: AWKWARD_DEVICE, type: AWKWARD_TYPE, interval: '10s' },
  ],
  'Clock drift': [{ device: ['sim-0001', 'sim-0002', 'sim-0003', 'sim-0004', 'sim-0005', AWKWARD_DEVICE] }],
  'Data quality': [{}],
  'Pipeline health': [{}],
}

test('every query of every dashboard returns rows that its panel can draw, to a role that may only read', async (t) => {
  const url = await filledDatabase(t)
  const ask = await connectReader(t, url)
  await assert.rejects(ask('delete from events'), /permission denied|read-only/)

  for (const dashboard of readDashboards()) {
    const choices = CHOICES[dashboard.title]
    assert.ok(choices, `no choices for ${dashboard.title}`)
    for (const [index, variables] of choices.entries()) {
      for (const query of queriesOf(dashboard)) {
        const name = `${query.name}${index > 0 ? ` (choice ${index + 1})` : ''}`
        await t.test(name, async () => {
          const answer = await ask(expand(query.sql, { ...range, variables }))
          assert.notEqual(answer.rows.length, 0, 'no rows')
          checkShape(query, answer)
        })
      }
    }
  }

  await t.test('the events are still there', async () => {
    const { rows } = await ask('select count(*)::int as count from events')
    assert.ok((rows[0]?.count as number) > 3_000)
  })
})

test('on an empty database no query fails', async (t) => {
  const url = await freshDatabase(t)
  await migrate(url)
  const ask = await connectReader(t, url)
  for (const dashboard of readDashboards()) {
    const variables = { silent: '15 minutes', device: '', type: '', interval: '1m' }
    for (const query of queriesOf(dashboard)) {
      await t.test(query.name, async () => {
        checkShape(query, await ask(expand(query.sql, { ...range, variables })))
      })
    }
  }
})

test('a device that was made but never heard is told apart from a silent one', async (t) => {
  const url = await filledDatabase(t)
  const owner = new Client({ connectionString: url })
  await owner.connect()
  t.after(() => owner.end())
  await owner.query('alter table devices alter first_seen drop not null, alter last_seen drop not null')
  await owner.query(`insert into devices (device_id, first_seen, last_seen) values ('new', null, null)`)
  const ask = await connectReader(t, url)
  const fleet = readDashboards().find(({ title }) => title === 'Fleet overview')
  assert.ok(fleet)
  const run = async (panel: string) => {
    const query = queriesOf(fleet).find(({ name }) => name === `Fleet overview: ${panel}`)
    assert.ok(query)
    return (await ask(expand(query.sql, { ...range, variables: { silent: '15 minutes' } }))).rows
  }
  assert.equal((await run('Devices'))[0]?.['Never heard'], '1')
  const first = (await run('Devices by last sign of life'))[0]
  assert.deepEqual([first?.Device, first?.State, first?.Sensors], ['new', 'never heard', '0'])
})

/** What Grafana needs: column types that it knows, and for a series a sorted `time`, numbers, and names as text. */
function checkShape({ format, kind }: Query, { columns, rows }: Answer): void {
  for (const { name, dataTypeID } of columns)
    assert.ok(
      KNOWN.includes(dataTypeID),
      `column ${name} has type ${dataTypeID}, which Grafana shows as nothing useful`,
    )
  assert.equal(new Set(columns.map(({ name }) => name)).size, columns.length, 'a column name stands twice')
  if (kind === 'annotation') assert.deepEqual(columns.map(({ name }) => name).slice(0, 2), ['time', 'text'])
  if (format !== 'time_series') return
  const time = columns.find(({ name }) => name === 'time')
  assert.equal(time?.dataTypeID, TIMESTAMPTZ)
  assert.ok(columns.some(({ dataTypeID }) => NUMBERS.includes(dataTypeID)))
  const texts = columns.filter(
    ({ dataTypeID }) => !NUMBERS.includes(dataTypeID) && dataTypeID !== TIMESTAMPTZ,
  )
  // Only with three columns does Grafana take `metric` for the name of the series.
  if (texts.length > 0) assert.deepEqual([texts.map(({ name }) => name), columns.length], [['metric'], 3])
  const times = rows.map((row) => (row.time as Date).getTime())
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  )
}
