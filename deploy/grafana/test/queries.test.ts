import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { Client, types } from 'pg'
import { type Choice, expand } from './support/expand.ts'
import { AWKWARD_DEVICE, AWKWARD_TYPE, filledDatabase } from './support/filled-database.ts'
import { type Query, queriesOf, readDashboards } from './support/queries.ts'
import { type Answer, connectReader } from './support/reader.ts'

const { BOOL, FLOAT8, INT4, INT8, TEXT, TIMESTAMPTZ } = types.builtins
const NUMBERS: readonly number[] = [FLOAT8, INT4, INT8]
const NAME = 19
const KNOWN: readonly number[] = [...NUMBERS, BOOL, TEXT, TIMESTAMPTZ, NAME]

const DAY_MS = 86_400_000
/** The last day, when the test asks for it: its file may have been loaded minutes before. */
const lastDay = () => ({
  from: new Date(Date.now() - DAY_MS),
  to: new Date(Date.now() + 60_000),
  intervalMs: 600_000,
})

/** Values of the drop-downs when a dashboard is opened; in "One device", `device` and `type` are single values. */
const CHOICES: Readonly<Record<string, readonly Choice['variables'][]>> = {
  'Fleet overview': [{}],
  'One device': [
    { device: 'sim-0001', type: 'temp', interval: '5m' },
    { device: 'sim-0001', type: 'temp', interval: '1d' },
    { device: AWKWARD_DEVICE, type: AWKWARD_TYPE, interval: '10s' },
  ],
  'Clock drift': [
    { device: ['sim-0001', 'sim-0002', 'sim-0003', 'sim-0004', 'sim-0005', AWKWARD_DEVICE] },
    { device: '*' },
  ],
  'Compare devices': [
    { type: 'temp', device: '*' },
    { type: 'temp', device: ['sim-0001', 'sim-0002'] },
  ],
  Boards: [{}],
  'Data quality': [{}],
  'Pipeline health': [{}],
}

/** Panels for which the ten simulated devices have no data. */
const MAY_BE_EMPTY: readonly string[] = [
  'Fleet overview: Silent sensors',
  'Data quality: Gaps: longest silence of each sensor',
]

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
          const answer = await ask(expand(query.sql, { ...lastDay(), variables }))
          if (!MAY_BE_EMPTY.includes(query.name)) assert.notEqual(answer.rows.length, 0, 'no rows')
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

/** Legal ids that broke a query or gave no rows: quotes, a backslash, macros and variables of Grafana, 128 bytes. */
const HOSTILE: readonly string[] = [
  `say "hi"`,
  "o'brien",
  'back\\slash\\',
  '$word(',
  '$__timeFilter(ts)',
  '${device:sqlstring}',
  '$__interval',
  '[[device]]',
  '100 %',
  '%41%zz',
  '{a,b}',
  'a,b',
  '\u05d0\u202e\u0628',
  'é'.repeat(64),
  'device_temp',
  'Device\\Sensor',
]

/** Two hours of events for each id, with an equally hostile type, unit and meta. */
const HOSTILE_ROWS = `
  insert into events (event_id, device_id, event_type, value_num, unit, ts, ts_device, ts_server, schema, meta)
  select 'h-' || place || '-' || n, id, id, 20 + n / 3.0, '"', at, at, at, 1, jsonb_build_object(id, id)
  from unnest($1::text[]) with ordinality as ids(id, place), generate_series(0, 119) as n,
    lateral (select now() - n * interval '1 minute' as at) as times;
`

test('hostile ids: every query runs, and finds what they sent', async (t) => {
  const { ask, fill } = await emptyDatabase(t)
  await fill(HOSTILE_ROWS, [HOSTILE])
  await fill(
    `insert into devices (device_id, first_seen, last_seen) select device_id, min(ts_server), max(ts_server) from events group by 1`,
  )
  await fill('select recount_series()')
  for (const dashboard of readDashboards()) {
    for (const query of queriesOf(dashboard)) {
      await t.test(query.name, async () => {
        for (const id of HOSTILE) {
          const variables = { device: id, type: id, interval: '1m' }
          checkShape(query, await ask(expand(query.sql, { ...lastDay(), variables })))
        }
        for (const device of [HOSTILE, [], '*', '']) {
          const variables = { device, type: HOSTILE[0] ?? '', interval: '1m' }
          checkShape(query, await ask(expand(query.sql, { ...lastDay(), variables })))
        }
      })
    }
  }
  const found = async (name: string, device: string | readonly string[]) => {
    const query = readDashboards()
      .flatMap(queriesOf)
      .find((each) => each.name === name)
    assert.ok(query)
    const variables = { device, type: device, interval: '1m' }
    return (await ask(expand(query.sql, { ...lastDay(), variables }))).rows
  }
  await t.test('a device is found by its id, whatever is in it', async () => {
    for (const id of HOSTILE) {
      assert.equal((await found('One device: About this device', id))[0]?.Device, id)
      assert.ok((await found('One device: ${type}', id)).length > 100, id)
    }
  })
  await t.test('several chosen devices give each of them, none gives none, All gives all', async () => {
    const devices = async (chosen: string | readonly string[]) =>
      Number((await found('Clock drift: Clocks in this time range', chosen))[0]?.Devices)
    assert.equal(await devices(HOSTILE), HOSTILE.length)
    assert.equal(await devices([`say "hi"`, '$word(']), 2)
    assert.equal(await devices(['$word(']), 1)
    assert.deepEqual([await devices([]), await devices(''), await devices('*')], [0, 0, HOSTILE.length])
  })
})

test('on an empty database no query fails, with nothing selected and with All', async (t) => {
  const { ask } = await emptyDatabase(t)
  for (const dashboard of readDashboards()) {
    for (const query of queriesOf(dashboard)) {
      await t.test(query.name, async () => {
        for (const device of ['', [], '*', ['$__all']]) {
          const variables = { device, type: '', interval: '1m' }
          checkShape(query, await ask(expand(query.sql, { ...lastDay(), variables })))
        }
      })
    }
  }
})

test('a device that was created but never seen is distinguished from a silent one', async (t) => {
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
    return (await ask(expand(query.sql, { ...lastDay(), variables: {} }))).rows
  }
  assert.equal((await run('Devices'))[0]?.Never, '1')
  const row = (await run('Devices by last event')).find(({ Device }) => Device === 'new')
  assert.deepEqual([row?.State, row?.Sensors], ['never', '0'])
})

test('a contact that sends true and false is a state and not a chart', async (t) => {
  const ask = await connectReader(t, await filledDatabase(t))
  const device = readDashboards().find(({ title }) => title === 'One device')
  assert.ok(device)
  const run = async (name: string) => {
    const query = queriesOf(device).find((each) => each.name === `One device: ${name}`)
    assert.ok(query)
    const variables = { device: 'sim-0001', type: 'temp', interval: '5m' }
    return (await ask(expand(query.sql, { ...lastDay(), variables }))).rows
  }
  const states = (await run('States')).filter(({ Sensor }) => Sensor === 'window')
  assert.deepEqual(
    states.map(({ Value }) => Value),
    ['on', 'off', 'on'],
  )
  const charts = (await run('variable type')).map((row) => row.event_type)
  assert.ok(charts.includes('temp') && !charts.includes('window'), charts.join())
})

test('the busiest sensors are found without reading events, and only for the chosen devices', () => {
  const queries = readDashboards()
    .flatMap(queriesOf)
    .filter(({ sql }) => sql.includes('voices as ('))
  assert.ok(queries.length >= 7, `${queries.length}`)
  for (const { name, sql } of queries) {
    const start = sql.indexOf('voices as (')
    const voices = sql.slice(start, sql.indexOf('nulls last', start))
    assert.doesNotMatch(voices, /events_between|newest_events|from events/, name)
    if (name.startsWith('Clock drift')) assert.match(voices, /\$\{device:percentencode\}/, name)
  }
})

async function emptyDatabase(t: TestContext) {
  const url = await migratedDatabase(t)
  const owner = new Client({ connectionString: url })
  await owner.connect()
  t.after(() => owner.end())
  return {
    ask: await connectReader(t, url),
    fill: (sql: string, values: readonly unknown[] = []) => owner.query(sql, [...values]),
  }
}

/** What Grafana needs: known column types, and for a series a sorted `time`, numbers, and names as text. */
function checkShape({ format, kind }: Query, { columns, rows }: Answer): void {
  for (const { name, dataTypeID } of columns)
    assert.ok(
      KNOWN.includes(dataTypeID),
      `column ${name} has type ${dataTypeID}, which Grafana shows as nothing useful`,
    )
  assert.equal(new Set(columns.map(({ name }) => name)).size, columns.length, 'a column name occurs twice')
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
