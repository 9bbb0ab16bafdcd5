import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { accountingAlarm } from '../../src/alarms/accounting-alarm.ts'
import type { Alarm } from '../../src/alarms/alarm.ts'
import { Alarms } from '../../src/alarms/alarms.ts'
import { DROPPED_SHOWN_MS, qos0Alarm, willAlarm } from '../../src/alarms/dropped-alarms.ts'
import { DROPS_SHOWN_MS, dropsAlarm } from '../../src/alarms/drops-alarm.ts'
import { PAUSED_MS, pausedAlarm, STALLED_MS, stalledAlarm } from '../../src/alarms/flow-alarms.ts'
import { FOREIGN_MESSAGES, FOREIGN_MS, queueAlarm } from '../../src/alarms/queue-alarm.ts'
import {
  MANY_RECONNECTS,
  QUARANTINE_SHOWN_MS,
  quarantineAlarm,
  RECONNECTS_WITHIN_MS,
  reconnectingAlarm,
} from '../../src/alarms/source-alarms.ts'
import { UNHEARD_MESSAGES, UNHEARD_MS, unheardAlarm } from '../../src/alarms/unheard-alarm.ts'
import { alarmCheck } from '../../src/http/checks.ts'
import { Accounting } from '../../src/pipeline/accounting.ts'
import type { IntakeStatus } from '../../src/pipeline/intake.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'

function metrics() {
  const zero = () => 0
  return new Metrics({
    connected: zero,
    paused: zero,
    unsettledMessages: zero,
    unsettledBytes: zero,
    reconnects: zero,
    sessionsLost: zero,
    publishesGivenUp: zero,
    qos0Dropped: zero,
    willsDropped: zero,
    devicesOverBudget: zero,
  })
}

test('an alarm is reported once when it begins and once when it ends, in log, metric and readiness', async () => {
  let wrong: string | null = null
  const alarm: Alarm = { name: 'stalled', check: () => wrong }
  const { log, records } = silentLog()
  const own = metrics()
  const alarms = new Alarms({ alarms: [alarm], metrics: own, log })
  const ready = alarmCheck(() => alarms.look(0))
  const metric = async () => (await own.alarms.get()).values

  assert.deepEqual(await ready(), { ok: true, detail: 'none' })
  wrong = 'nothing flows'
  assert.deepEqual(await ready(), { ok: false, detail: 'stalled: nothing flows' })
  alarms.look(1)
  assert.deepEqual(await metric(), [{ labels: { alarm: 'stalled' }, value: 1 }])
  wrong = null
  alarms.look(2)
  assert.deepEqual(await metric(), [{ labels: { alarm: 'stalled' }, value: 0 }])
  assert.deepEqual(
    records.map(({ level, msg }) => [level, msg]),
    [
      ['error', 'Alarm: nothing flows'],
      ['info', 'Alarm ended'],
    ],
  )
})

test('counts that do not add up raise an alarm, events in flight do not', () => {
  const accounting = new Accounting()
  let unsettled = 1
  const { check } = accountingAlarm({ accounting, unsettledMessages: () => unsettled })
  Object.assign(accounting, { received: 10, stored: 4, duplicate: 2, rejected: 1, inFlight: 3 })
  assert.equal(check(0), null)
  unsettled = 0
  assert.match(check(0) ?? '', /every message is settled, but not every event has an outcome/)
  unsettled = 1
  accounting.stored--
  assert.match(check(0) ?? '', /the counts are off by 1: 10 received, 3 stored/)
})

test('no commit for half a minute raises an alarm, a commit ends it', () => {
  const accounting = new Accounting()
  let unsettledMessages = 0
  const { check } = stalledAlarm({ accounting, status: () => ({ unsettledMessages, isPaused: false }) })
  assert.equal(check(0), null)
  assert.equal(check(STALLED_MS * 2), null, 'idle is not stalled')
  unsettledMessages = 5
  const start = STALLED_MS * 2
  assert.equal(check(start + STALLED_MS - 1), null)
  assert.match(check(start + STALLED_MS) ?? '', /nothing was committed for 30 s with 5 messages/)
  accounting.commits++
  assert.equal(check(start + STALLED_MS + 1), null)
})

test('reading that stays paused raises an alarm', () => {
  let isPaused = true
  const { check } = pausedAlarm({
    accounting: new Accounting(),
    status: () => ({ unsettledMessages: 9, isPaused }),
  })
  assert.equal(check(1), null)
  assert.match(check(PAUSED_MS + 1) ?? '', /paused for 120 s/)
  isPaused = false
  assert.equal(check(PAUSED_MS + 2), null)
  isPaused = true
  assert.equal(check(PAUSED_MS + 3), null, 'it starts over')
})

test('dropped QoS 0 is shown for ten minutes, with the client', () => {
  let qos0Dropped: IntakeStatus['qos0Dropped'] = null
  const { name, check } = qos0Alarm(() => ({ qos0Dropped }))
  assert.equal(name, 'qos0_dropped')
  assert.equal(check(0), null)
  qos0Dropped = { count: 3, client: 'board-1', atMs: 1 }
  assert.match(check(2) ?? '', /^3 event messages with QoS 0 were dropped .* client "board-1"/)
  assert.equal(check(DROPPED_SHOWN_MS + 2), null)
})

test('dropped wills are shown for ten minutes, under their own name', () => {
  const willsDropped = { count: 1, client: 'board-2', atMs: 1 }
  const { name, check } = willAlarm(() => ({ willsDropped }))
  assert.equal(name, 'will_dropped')
  assert.match(check(2) ?? '', /^1 wills on event topics were dropped .* client "board-2"/)
  assert.equal(check(DROPPED_SHOWN_MS + 2), null)
})

test('drops before the start are ignored, new ones are shown for ten minutes', () => {
  let dropped: number | null = null
  const { check } = dropsAlarm(() => dropped)
  assert.equal(check(0), null)
  dropped = 7
  assert.equal(check(1), null)
  dropped = 9
  assert.match(check(2) ?? '', /dropped 2 messages/)
  dropped = 0
  assert.match(check(3) ?? '', /dropped 2/, 'a restarted broker does not end the alarm')
  assert.equal(check(3 + DROPS_SHOWN_MS), null)
})

test('a source that is connected at each check but keeps reconnecting raises an alarm', () => {
  const status = { isConnected: true, reconnects: 0, latestLoss: 'the broker closed it', quarantined: null }
  const alarm = reconnectingAlarm({ status: () => status })
  for (let look = 0; look <= 10; look++) assert.equal(alarm.check(look * 5_000), null)
  for (let each = 1; each < MANY_RECONNECTS; each++) {
    status.reconnects++
    assert.equal(alarm.check(50_000 + each * 5_000), null)
  }
  status.reconnects++
  assert.match(
    alarm.check(80_000) ?? '',
    /ended 5 times within a minute; latest reason: the broker closed it/,
  )
  for (let ms = 85_000; ms < 80_000 + RECONNECTS_WITHIN_MS; ms += 5_000) alarm.check(ms)
  assert.equal(alarm.check(80_000 + RECONNECTS_WITHIN_MS), null)
})

test('reconnects are counted over a minute even if /readyz checks a thousand times a second', () => {
  const status = { isConnected: true, reconnects: 0, latestLoss: 'the broker closed it', quarantined: null }
  const alarm = reconnectingAlarm({ status: () => status })
  for (let ms = 0; ms < RECONNECTS_WITHIN_MS; ms++) {
    if (ms === 30_000) status.reconnects = MANY_RECONNECTS
    assert.equal(alarm.check(ms) !== null, ms >= 30_000, `at ${ms} ms`)
  }
  assert.notEqual(alarm.check(30_000 + RECONNECTS_WITHIN_MS - 1_000), null)
  assert.equal(alarm.check(30_000 + RECONNECTS_WITHIN_MS), null)
})

test('a quarantined message raises an alarm that names its topic, for a while', () => {
  const quarantined = {
    topic: 'qs/v1/a/events',
    reason: 'the broker sent a PUBLISH of QoS 3',
    atMs: 1_000,
    count: 1,
  }
  const status = { isConnected: true, reconnects: 0, latestLoss: null, quarantined }
  const alarm = quarantineAlarm({ status: () => status })
  assert.match(alarm.check(1_000) ?? '', /a message on qs\/v1\/a\/events .*QoS 3.*qs deadletter ls/)
  assert.equal(alarm.check(1_001 + QUARANTINE_SHOWN_MS), null)
  assert.equal(quarantineAlarm({ status: () => ({ ...status, quarantined: null }) }).check(0), null)
})

test('a queue at the broker that is not for this ingester and does not shrink raises an alarm', () => {
  let waiting: number | null = null
  let status = { unsettledMessages: 0, isPaused: false }
  const { check } = queueAlarm({ waiting: () => waiting, status: () => status })
  assert.equal(check(0), null)
  waiting = FOREIGN_MESSAGES + 500
  status = { unsettledMessages: 1_000, isPaused: false }
  assert.equal(check(1), null)
  assert.equal(check(1 + FOREIGN_MS), null, 'some are for this ingester')

  status = { unsettledMessages: 0, isPaused: false }
  const startMs = 2 + FOREIGN_MS
  assert.equal(check(startMs), null)
  assert.match(check(startMs + FOREIGN_MS) ?? '', /^the broker keeps 10500 messages/)
  waiting -= 1
  assert.equal(check(startMs + FOREIGN_MS + 1), null, 'a client reads it')

  status = { unsettledMessages: 0, isPaused: true }
  assert.equal(check(startMs + 3 * FOREIGN_MS), null, 'while reading is paused they wait for this ingester')
  assert.equal(check(startMs + 6 * FOREIGN_MS), null)
})

test('events that others publish and no ingester gets raise an alarm and end readiness', async () => {
  const accounting = new Accounting()
  let published = 0
  let areOthersStoring = true
  const alarm = unheardAlarm({
    accounting,
    status: () => ({ isConnected: true, isPaused: false, unsettledMessages: 0 }),
    published: () => published,
    areOthersStoring: async () => areOthersStoring,
  })
  /** Twice: the answer of the database comes after the first look. */
  const look = async (nowMs: number) => {
    alarm.check(nowMs)
    await new Promise(setImmediate)
    return alarm.check(nowMs)
  }
  assert.equal(await look(0), null)
  published = UNHEARD_MESSAGES
  assert.equal(await look(UNHEARD_MS - 1), null)
  assert.equal(await look(UNHEARD_MS), null, 'others of the group get them')
  areOthersStoring = false
  const text = await look(2 * UNHEARD_MS)
  assert.match(text ?? '', /^10 events were published within 120 s, .*got none.*\$share/)
  const { ok } = await alarmCheck(() => new Map([[alarm.name, String(text)]]))()
  assert.equal(ok, false)
  accounting.received++
  assert.equal(await look(2 * UNHEARD_MS + 1), null)
})
