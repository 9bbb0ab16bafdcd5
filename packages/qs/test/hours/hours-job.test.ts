import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { instantFromMs } from '@qs-telemetry/protocol'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { HOURS_SHOWN_MS, hoursAlarm } from '../../src/alarms/hours-alarm.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import { HoursJob } from '../../src/hours/hours-job.ts'
import type { Clock } from '../../src/pipeline/clock.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'

/** A clock whose timers the test fires. */
function handClock() {
  let nowMs = 0
  let timer: { readonly atMs: number; readonly act: () => void } | null = null
  const clock: Clock = {
    now: () => instantFromMs(Date.now()),
    monotonicMs: () => nowMs,
    after: (ms, act) => {
      timer = { atMs: nowMs + ms, act }
      return () => {
        timer = null
      }
    },
    every: () => () => {},
  }
  /** Fires the next timer. @returns the pause before it */
  const run = () => {
    assert.ok(timer)
    const { atMs, act } = timer
    const pauseMs = atMs - nowMs
    nowMs = atMs
    timer = null
    act()
    return pauseMs
  }
  const next = async () => {
    const pauseMs = run()
    await until(() => timer !== null, 'the run has ended')
    return pauseMs
  }
  return { clock, run, next, now: () => nowMs }
}

async function open(t: TestContext) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 2, timeoutMs: 30_000 })
  t.after(() => pool.end())
  await pool.query(`
    insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
    select 'e' || i, 'd' || i % 3, 'temp', i, now() - i * interval '57 minutes 11.123457 s', now(), 1
    from generate_series(1, 300) i`)
  await pool.query('select recount_series()')
  const zero = () => 0
  const metrics = new Metrics({
    ...{ connected: zero, paused: zero, unsettledMessages: zero, unsettledBytes: zero },
    ...{
      reconnects: zero,
      sessionsLost: zero,
      publishesGivenUp: zero,
      qos0Dropped: zero,
      willsDropped: zero,
      devicesOverBudget: zero,
    },
  })
  const { log, records } = silentLog()
  const { clock, run, next, now } = handClock()
  const job = new HoursJob({ url, clock, metrics, log })
  const value = async (name: string) => {
    const found = (await metrics.registry.getMetricsAsJSON()).find((each) => each.name === name)
    return found?.values.map(({ value, labels }) => [Object.values(labels).join(), value])
  }
  return { pool, job, run, next, now, records, value }
}

test('a recount continues with short pauses, logs its progress, and raises no alarm', async (t) => {
  const { pool, job, next, records, value } = await open(t)
  job.start()
  t.after(() => job.stop())
  await next()
  // As left by an earlier version.
  await pool.query(
    `delete from event_hours where device_id = 'd1'; update event_hours_state set recounted_at = null`,
  )
  await until(async () => {
    await next()
    return records.some(({ msg }) => msg.startsWith('All hours of event_hours have been compared'))
  }, 'the recount is complete')
  const [state] = await pool.query<{ n: number }>(
    `select count(*)::int as n from event_hours where device_id = 'd1'`,
  )
  assert.ok(state && state.n > 90)
  assert.deepEqual(await value('qs_event_hours_recounted'), [['', 1]])
  assert.deepEqual(await value('qs_event_hours_mended_total'), [
    ['recount', state.n],
    ['differing', 0],
  ])
  assert.equal(hoursAlarm(() => job.differing).check(0), null)
  assert.deepEqual(
    records.filter(({ level }) => level === 'error' || level === 'warn'),
    [],
  )
})

test('hours that differ later are corrected, counted, logged and shown as an alarm for an hour', async (t) => {
  const { pool, job, next, now, records, value } = await open(t)
  const alarm = hoursAlarm(() => job.differing)
  job.start()
  t.after(() => job.stop())
  await next()
  const [hour] = await pool.query(`
    update event_hours set high = high + 0.001 where (device_id, hour) = (select device_id, min(hour) from event_hours group by 1 limit 1)
    returning device_id`)
  assert.equal(alarm.check(now()), null)
  await until(async () => {
    await next()
    return job.differing !== null
  }, 'the walk reaches the series')
  assert.match(alarm.check(now()) ?? '', /^1 hour of event_hours differed .* the latest of "d\d", "temp"/)
  assert.equal(job.differing?.deviceId, (hour as { device_id: string }).device_id)
  assert.equal(alarm.check(now() + HOURS_SHOWN_MS + 1), null)
  assert.deepEqual((await value('qs_event_hours_mended_total'))?.at(-1), ['differing', 1])
  assert.equal(records.filter(({ level }) => level === 'error').length, 1)
})

test('a stop aborts a long run', async (t) => {
  const { pool, job, run } = await open(t)
  job.start()
  await pool.use(async (database) => {
    await database.query('begin; lock table event_hours in exclusive mode')
    run()
    await until(
      async () =>
        (
          await pool.query(
            `select from pg_stat_activity where application_name = 'qs-hours' and wait_event_type = 'Lock'`,
          )
        ).length > 0,
      'the job waits for the table',
    )
    await job.stop()
    await database.query('rollback')
  })
})
