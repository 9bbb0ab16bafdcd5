import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instantFromMs } from '@qs-telemetry/protocol'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import { GapJob } from '../../src/gaps/gap-job.ts'
import type { Clock } from '../../src/pipeline/clock.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'

test('the job reads a backlog in steps with pauses, then looks every fifteen seconds, and says how much is missing', async (t) => {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 1, timeoutMs: 30_000 })
  t.after(() => pool.end())
  // Every tenth of 30,000 never came.
  await pool.query(`
    insert into events (event_id, device_id, event_type, ts, ts_server, schema)
    select 'd-1-' || i, 'd', 't', at, at, 1
    from (select i, now() - interval '1 day' + i * interval '1 second' as at from generate_series(1, 30000) i where i % 10 > 0) x`)
  const zero = () => 0
  const metrics = new Metrics({
    ...{ connected: zero, paused: zero, unsettledMessages: zero, unsettledBytes: zero, reconnects: zero },
    ...{
      sessionsLost: zero,
      publishesGivenUp: zero,
      qos0Dropped: zero,
      willsDropped: zero,
      devicesOverBudget: zero,
    },
  })
  const pauses: number[] = []
  let timer: (() => void) | null = null
  const clock: Clock = {
    now: () => instantFromMs(Date.now()),
    monotonicMs: () => performance.now(),
    after: (ms, act) => {
      pauses.push(ms)
      timer = act
      return () => {
        timer = null
      }
    },
    every: () => () => {},
  }
  const job = new GapJob({ url, clock, metrics, log: silentLog().log })
  t.after(() => job.stop())
  job.start()
  const value = async () => (await metrics.missingEvents.get()).values[0]?.value
  while (pauses.at(-1) !== 15_000) {
    assert.ok(Number.isNaN(await value()))
    const act = timer as unknown as () => void
    timer = null
    act()
    await until(() => timer !== null, 'the step has ended')
  }
  assert.ok(pauses.length >= 4, `${pauses.length} pauses`)
  assert.ok(pauses.slice(1, -1).every((ms) => ms >= 20))
  assert.equal(await value(), 2_999)
  assert.equal((await metrics.devicesWithGaps.get()).values[0]?.value, 1)
})
