import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import { json, startTestConsole } from '@qs-telemetry/testing/console.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { until } from '@qs-telemetry/testing/until.ts'

type Row = Readonly<Record<string, unknown>>

interface Place {
  readonly mqttUrl: string
  readonly databaseUrl: string
  query(sql: string): Promise<readonly Row[]>
}

/** Five events of 98 bytes are an array of 496; the age of each adds 19. */
const SETTINGS = { LIMIT_ARRAY_EVENTS: '5', LIMIT_MESSAGE_BYTES: '500' }
const EVENT_BYTES = 98

const event = (id: string, fields: object = {}) => ({
  schema: 1,
  event_id: id,
  device_id: 'd',
  event_type: 'temp',
  ...fields,
})

function full(id: string, value: number): string {
  const bare = JSON.stringify(event(id, { value, unit: '' }))
  return JSON.stringify(event(id, { value, unit: 'x'.repeat(EVENT_BYTES - bare.length) }))
}

async function start(t: TestContext, { mqttUrl, databaseUrl, query }: Place) {
  const { client } = await listen(t, mqttUrl)
  const count = async (table: string) =>
    Number((await query(`select count(*)::int as n from ${table}`))[0]?.n)
  /** Creates a dead letter and backdates it. @returns its id */
  const letter = async (payload: string, age: string): Promise<string> => {
    const before = await count('dead_letters')
    await client.publishAsync('qs/v1/d/events', payload, { qos: 1 })
    await until(async () => (await count('dead_letters')) === before + 1, 'a dead letter')
    const [row] = await query(
      `update dead_letters set received_at = received_at - interval '${age}'
       where dead_letter_id = (select max(dead_letter_id) from dead_letters) returning dead_letter_id::text as id`,
    )
    return String(row?.id)
  }
  const qs = async (...args: readonly string[]) => {
    const env = { MQTT_URL: mqttUrl, DATABASE_URL: databaseUrl, ...SETTINGS }
    return (await runCommand(['deadletter', ...args], env)).stdout
  }
  /** A letter with one event that a patch can repair. */
  const repairable = async (id: string, fields: object, age: string) => {
    const number = await letter(JSON.stringify({ ...event(id, fields), schema: undefined }), age)
    await qs('fix', number, '--merge', '{"schema":1}')
    return number
  }
  const replay = async (...args: readonly string[]) =>
    JSON.parse(await qs('replay', '--json', ...args)) as { result: string; code: string; detail: string }
  return { letter, repairable, qs, replay, count }
}

/** Difference between the time of an event and the expected time from its letter, in seconds. */
const DISTANCE = `
  select extract(epoch from e.ts - d.received_at)::float8 as s
  from events e join dead_letters d on d.event_id = e.event_id where e.event_id = `

async function prove(t: TestContext, place: Place): Promise<void> {
  const { letter, repairable, qs, replay, count } = await start(t, place)
  const { query } = place

  const deviceTime = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()
  const refused = [
    ['an age that no ingester takes', await repairable('aged', { age_ms: 60_000 }, '91 days')],
    ['the letter alone is too old', await repairable('old', {}, '91 days')],
    ['a device time that was plausible', await repairable('late', { ts_device: deviceTime(100) }, '20 days')],
    ['a device time that was not', await repairable('early', { ts_device: deviceTime(0) }, '1 day')],
  ] as const
  for (const [what, number] of refused) {
    for (const flags of [[], ['--dry-run']]) {
      const { result, detail } = await replay(number, ...flags)
      assert.equal(result, 'wrong', what)
      assert.match(detail, /DEVICE_CLOCK_MAX_PAST.* console of qs up or qs ingest.* --now$/, what)
    }
    assert.equal((await replay(number, '--now', '--dry-run')).result, 'stored', what)
  }
  assert.equal(await count('events'), 0, 'nothing was sent')

  const young = await repairable('young', { age_ms: 60_000 }, '80 days')
  assert.equal((await replay(young)).result, 'stored')
  const dated = await repairable('dated', { ts_device: deviceTime(85), age_ms: 7 }, '80 days')
  assert.equal((await replay(dated)).result, 'stored')
  // The age is computed before sending, so transit time makes the event younger.
  const [distance] = await query(`${DISTANCE} 'young'`)
  assert.ok(Math.abs(Number(distance?.s) + 60) < 60, JSON.stringify(distance))
  const [five] = await query(`${DISTANCE} 'dated'`)
  assert.ok(Math.abs(Number(five?.s) + 5 * 86_400) < 60, JSON.stringify(five))

  await query(
    `update dead_letters set received_at = received_at - interval '30 days' where dead_letter_id = ${young}`,
  )
  assert.equal((await replay(young, '--again')).result, 'duplicate', 'what is stored keeps its time')
  await query(
    `update dead_letters set received_at = received_at + interval '30 days' where dead_letter_id = ${young}`,
  )

  const ids = Array.from({ length: 12 }, (_, n) => `long-${String(n).padStart(2, '0')}`)
  const long = await letter(`[${ids.map((id, n) => full(id, n)).join(',')}]`, '3 days')
  assert.match(await qs('replay', long), /1 stored/)
  const [{ n, apart } = {}] = await query(
    `select count(*)::int as n, max(abs(extract(epoch from now() - ts - interval '3 days')))::float8 as apart
     from events where event_id like 'long%'`,
  )
  assert.equal(n, 12)
  assert.ok(Number(apart) < 60, String(apart))

  await query('alter table events add constraint sane check (event_id not like $$bad%$$)')
  const bad = await letter(`[${ids.map((_, at) => full(`bad-${at}`, at)).join(',')}]`, '3 days')
  const before = await count('dead_letters')
  assert.match(await qs('replay', bad), /STORAGE_REJECTED/)
  assert.equal(await count('dead_letters'), before, 'twelve that were rejected again are still one letter')
}

test('a replay through Mosquitto keeps the time of a letter or is refused; the added age exceeds no limit', {
  skip: mosquittoMissing,
}, async (t) => {
  const { url } = await startMosquitto(t)
  const running = await startPipeline(t, url, { settings: SETTINGS })
  await prove(t, { ...running, mqttUrl: url })
})

test('the same through the embedded broker; the console of the ingester keeps every time', async (t) => {
  const running = await startTestConsole(t, { settings: SETTINGS })
  await prove(t, { ...running, mqttUrl: `mqtt://127.0.0.1:${running.mqttPort}` })

  const { api, query } = running
  await api('/api/letters/replay', json('POST', { codes: ['MISSING_FIELD'] }))
  const times = await query(
    `select e.event_id as id, extract(epoch from d.received_at - e.ts)::float8 as s, e.ts_server = d.received_at as kept
     from events e join dead_letters d on d.event_id = e.event_id where e.event_id in ('aged', 'old', 'early') order by 1`,
  )
  assert.deepEqual(times, [
    { id: 'aged', s: 60, kept: true },
    { id: 'early', s: 0, kept: true },
    { id: 'old', s: 0, kept: true },
  ])
  assert.deepEqual(await query(`select ts = ts_device as own from events where event_id = 'late'`), [
    { own: true },
  ])
})
