import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { DEFAULT_LIMITS, EventTopic, instantFromMs } from '@qs-telemetry/protocol'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connect } from '../../src/database/connect.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import { decodeMessage } from '../../src/decode/decode-message.ts'
import type { StoredLetter } from '../../src/letters/find-letter.ts'
import { judgeLetter } from '../../src/letters/judge-letter.ts'
import { forecastEvents } from '../../src/letters/letter-problems.ts'
import { storedEvent } from '../../src/letters/stored-event.ts'
import { CopyProspects } from '../../src/sink/copy-prospects.ts'
import { CopyRows } from '../../src/sink/copy-rows.ts'
import { gather } from '../../src/sink/gather.ts'
import { writeBatch } from '../../src/sink/write-batch.ts'

const DAY_MS = 86_400_000

class CountedCopies extends CopyProspects {
  copies = 0

  override succeeded(): void {
    this.copies++
  }
}

type Sent = Readonly<Record<string, unknown>>

async function open(t: TestContext) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 3, timeoutMs: 60_000 })
  const connection = await connect({ url, name: 'test', connectTimeoutMs: 10_000 })
  t.after(async () => {
    connection.destroy()
    await pool.end()
  })
  await pool.query('update event_hours_state set covered_to = now()')
  const prospects = new CountedCopies()
  /** Stores the events of one message, as the sink does. @returns the status or the code of each */
  const send = async (events: readonly Sent[], { at = Date.now(), zone = 'UTC', device = 'd' } = {}) => {
    const message = decodeMessage(
      {
        topic: `qs/v1/${device}/events`,
        payload: Buffer.from(
          JSON.stringify(events.map((e) => ({ schema: 1, device_id: device, event_type: 'temp', ...e }))),
        ),
        redelivered: false,
        receivedAt: instantFromMs(at),
        settle: () => {},
      },
      {
        topic: new EventTopic('qs/v1/+/events'),
        limits: DEFAULT_LIMITS,
        clockTrust: { maxPastMs: 90 * DAY_MS, maxFutureMs: 3_600_000 },
        timeZoneOf: () => zone,
      },
    )
    const context = { writer: 'w', devices: [], isRetry: false, prospects, nowMs: 0 }
    const batch = gather([message], new CopyRows(), new Date().toISOString())
    const [outcomes] = await writeBatch(connection, batch, context)
    return outcomes?.map((each) => (each.kind === 'rejection' ? each.code : each.kind))
  }
  const seal = async () => {
    for (;;) {
      const [step] = await pool.query<{ is_end: boolean }>(`select * from seal_next('30 days', 2000)`)
      if (step?.is_end) return
    }
  }
  const count = async () => {
    const [found] = await pool.query<{ rows: number; all: number }>(
      'select (select count(*)::int from events) as rows, (select count(*)::int from event_history) as all',
    )
    return found
  }
  // Sent 60 days ago, measured a minute before that.
  const sentMs = Date.now() - 60 * DAY_MS
  const measuredMs = sentMs - 60_000
  const measured = new Date(measuredMs).toISOString().replace('Z', '457Z')
  return { pool, send, seal, count, sentMs, measuredMs, measured, prospects }
}

test('a sealed event that comes again is a duplicate, and with other content a conflict', async (t) => {
  const { pool, send, seal, count, sentMs, measuredMs, measured } = await open(t)
  const one = { event_id: 'd-1-1', value: 20.5, ts_device: measured, meta: { n: 1.0 } }
  const two = { event_id: 'two', value: 'text', ts_device: measured }
  assert.deepEqual(await send([one, two], { at: sentMs }), ['stored', 'stored'])
  await seal()
  assert.deepEqual(await count(), { rows: 0, all: 2 })
  assert.deepEqual(await send([two, one, one, { ...one, value: 20.6 }]), [
    ...['duplicate', 'duplicate', 'duplicate', 'EVENT_ID_CONFLICT'],
  ])
  assert.deepEqual(await count(), { rows: 0, all: 2 })
  const [letter] = await pool.query<StoredLetter>(
    'select device_id as "deviceId", event_id as "eventId", code, error, topic, received_at as "receivedAt", payload from dead_letters',
  )
  assert.ok(letter !== undefined)
  const stored = await pool.use((database) => storedEvent(database, letter, configOf()))
  const { value_num, ts_device, meta } = JSON.parse(stored ?? 'null')
  assert.deepEqual([value_num, meta, Date.parse(ts_device)], [20.5, { n: 1 }, measuredMs])
})

test('a replay, which keeps the server time of its letter, does not store a sealed event again', async (t) => {
  const { send, seal, count, sentMs, measured } = await open(t)
  const events = [
    { event_id: 'd-1', value: 1, ts_device: measured },
    { event_id: 'd-2', value: 2 },
  ]
  assert.deepEqual(await send(events, { at: sentMs }), ['stored', 'stored'])
  await seal()
  assert.deepEqual(await send(events, { at: sentMs }), ['duplicate', 'duplicate'])
  assert.deepEqual(await count(), { rows: 0, all: 2 })
})

test('a letter that is no conflict shows the sealed event with its id, and its replay is foreseen', async (t) => {
  const { pool, send, seal, sentMs, measured } = await open(t)
  const config = configOf()
  const [timed, untimed] = [{ event_id: 'd-1', ts_device: measured }, { event_id: 'd-2' }]
  const good = [timed, untimed].map((event) => ({ ...event, value: 20.5 }))
  assert.deepEqual(await send(good, { at: sentMs }), ['stored', 'stored'])
  await seal()
  const bad = [timed, untimed, { event_id: 'd-3' }].map((event) => ({ ...event, value: {} }))
  assert.deepEqual(await send(bad, { at: sentMs }), ['INVALID_VALUE', 'INVALID_VALUE', 'INVALID_VALUE'])

  const letters = await pool.query<StoredLetter>(
    `select device_id as "deviceId", event_id as "eventId", code, error, topic, received_at as "receivedAt", payload
    from dead_letters order by event_id`,
  )
  const shown = await pool.use(async (database) => {
    const found: (string | null)[] = []
    for (const letter of letters) found.push(await storedEvent(database, letter, config))
    return found.map((json) => JSON.parse(json ?? 'null')?.value_num)
  })
  assert.deepEqual(shown, [20.5, 20.5, undefined])

  const repaired = (value: number) => {
    const payload = JSON.stringify({ schema: 1, device_id: 'd', event_type: 'temp', ...timed, value })
    return judgeLetter(
      {
        ...{ topic: 'qs/v1/d/events', repairedDeviceId: null },
        receivedAt: new Date(sentMs),
        payload: Buffer.from(payload),
      },
      config,
    ).events
  }
  const forecast = (value: number) => pool.use((database) => forecastEvents(database, repaired(value)))
  assert.deepEqual([await forecast(20.5), await forecast(21)], [['duplicate'], ['conflict']])
})

test('it is a duplicate after its device time has become implausible, and in another time zone', async (t) => {
  const { pool, send, seal, count, sentMs, measured } = await open(t)
  const local = measured.replace('Z', '')
  const events = [
    { event_id: 'd-1', value: 1, ts_device: measured },
    { event_id: 'd-2', value: 2, ts_device: local },
  ]
  assert.deepEqual(await send(events, { at: sentMs }), ['stored', 'stored'])
  await seal()
  const later = Date.now() + 50 * DAY_MS
  assert.deepEqual(await send(events, { at: later, zone: 'Asia/Tokyo' }), ['duplicate', 'duplicate'])
  assert.deepEqual(await send(events, { at: later, zone: 'America/Los_Angeles' }), ['duplicate', 'duplicate'])
  assert.deepEqual(await count(), { rows: 0, all: 2 })
  const letters = await pool.query('select from dead_letters')
  assert.equal(letters.length, 0)
})

test('an event with an implausible device time is found by it, and one with a clock that was never set is not', async (t) => {
  const { send, seal, count, sentMs } = await open(t)
  const dated = (id: string, ms: number) => ({
    event_id: id,
    value: 1,
    ts_device: new Date(ms).toISOString(),
  })
  const behind = dated('behind', sentMs - 120 * DAY_MS)
  const local = { ...behind, event_id: 'local', ts_device: behind.ts_device.replace('Z', '') }
  const ahead = dated('ahead', sentMs + 300 * DAY_MS)
  const unset = dated('unset', 86_400_000)
  assert.deepEqual(await send([behind, local], { at: sentMs }), ['stored', 'stored'])
  assert.deepEqual(await send([ahead], { at: sentMs, device: 'e' }), ['stored'])
  assert.deepEqual(await send([unset], { at: sentMs, device: 'f' }), ['stored'])
  await seal()
  assert.deepEqual(await send([behind, local, { ...behind, value: 2 }]), [
    ...['duplicate', 'duplicate', 'EVENT_ID_CONFLICT'],
  ])
  assert.deepEqual(await send([ahead], { device: 'e' }), ['duplicate'])
  assert.deepEqual(await send([unset], { device: 'f' }), ['stored'])
  assert.deepEqual(await count(), { rows: 1, all: 5 })
})

test('the id of a sealed event with another type of its device at that time is a conflict', async (t) => {
  const { send, seal, count, sentMs, measured } = await open(t)
  const one = { event_id: 'd-1', value: 1, ts_device: measured }
  assert.deepEqual(await send([one], { at: sentMs }), ['stored'])
  await seal()
  assert.deepEqual(await send([{ ...one, event_type: 'hum' }, one]), ['EVENT_ID_CONFLICT', 'duplicate'])
  assert.deepEqual(await count(), { rows: 0, all: 1 })
})

test('of many late events, looked for in pieces, the sealed one is a duplicate', async (t) => {
  const { send, seal, count, sentMs } = await open(t)
  const at = (i: number) => new Date(sentMs - i * 60_000).toISOString()
  const event = (id: string, i: number) => ({ event_id: id, value: i, ts_device: at(i) })
  await send(
    Array.from({ length: 450 }, (_, i) => event(`d-1-${i}`, i)),
    { at: sentMs },
  )
  await seal()
  const late = Array.from({ length: 450 }, (_, i) => event(`${i === 440 ? 'd-1-' : 'd-2-'}${i}`, i))
  const outcomes = await send(late)
  assert.equal(outcomes?.filter((each) => each === 'stored').length, 449)
  assert.equal(outcomes?.[440], 'duplicate')
  assert.deepEqual(await count(), { rows: 449, all: 899 })
})

test('without a device time it is stored again, as a new event', async (t) => {
  const { send, seal, count, sentMs } = await open(t)
  assert.deepEqual(await send([{ event_id: 'x', value: 1 }], { at: sentMs }), ['stored'])
  await seal()
  assert.deepEqual(await send([{ event_id: 'x', value: 1 }]), ['stored'])
  assert.deepEqual(await count(), { rows: 1, all: 2 })
})

test('a late event is new, also beside one that PostgreSQL refuses', async (t) => {
  const { pool, send, seal, count, sentMs, measured } = await open(t)
  await pool.query(`alter table events add constraint no_poison check (value_text <> 'poison')`)
  assert.deepEqual(await send([{ event_id: 'a', value: 1, ts_device: measured }], { at: sentMs }), ['stored'])
  await seal()
  const late = [
    { event_id: 'a', value: 1, ts_device: measured },
    { event_id: 'b', value: 'poison', ts_device: measured },
    { event_id: 'c', value: 3, ts_device: measured },
  ]
  assert.deepEqual(await send(late), ['duplicate', 'STORAGE_REJECTED', 'stored'])
  assert.deepEqual(await send(late), ['duplicate', 'STORAGE_REJECTED', 'duplicate'])
  assert.deepEqual(await count(), { rows: 1, all: 2 })
})

test('an event that comes again while it is being sealed is a duplicate', async (t) => {
  const { pool, send, count, sentMs, measured } = await open(t)
  const event = { event_id: 'd-1-1', value: 20.5, ts_device: measured }
  await send([event], { at: sentMs })
  let again: ReturnType<typeof send> | undefined
  await pool.use(async (sealing) => {
    await sealing.query('begin')
    await sealing.query(`select * from seal_next('30 days', 2000)`)
    again = send([event])
    await until(async () => {
      const [waiting] = await pool.query<{ n: number }>(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      return waiting?.n === 1
    }, 'the batch waits for the step')
    await sealing.query('commit')
  })
  assert.deepEqual(await again, ['duplicate'])
  assert.deepEqual(await count(), { rows: 0, all: 1 })
})

test('late events that are new go by COPY like others, and a sealed one among them by INSERT', async (t) => {
  const { send, seal, count, sentMs, measured, prospects } = await open(t)
  const late = (id: string) => ({ event_id: id, value: 1, ts_device: measured })
  assert.deepEqual(await send([late('a')], { at: sentMs }), ['stored'])
  await seal()
  const before = prospects.copies
  assert.deepEqual(await send([late('b'), { event_id: 'c', value: 2 }]), ['stored', 'stored'])
  assert.equal(prospects.copies, before + 1)
  assert.deepEqual(await send([late('a'), late('d')]), ['duplicate', 'stored'])
  assert.equal(prospects.copies, before + 1)
  assert.deepEqual(await count(), { rows: 3, all: 4 })
})
