import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { instantFromMs } from '@qs-telemetry/protocol'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until as untilWithin } from '@qs-telemetry/testing/until.ts'
import { AlertJob } from '../../src/alerts/alert-job.ts'
import type { ServiceState } from '../../src/alerts/conditions.ts'
import { DEFAULT_RULE, type Rule } from '../../src/alerts/rule.ts'
import { putRule } from '../../src/alerts/rules.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import type { Clock } from '../../src/pipeline/clock.ts'

export interface Received {
  readonly path: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** A receiver on loopback. `answer` may be replaced: by default it takes everything. */
export async function startReceiver(t: TestContext) {
  const received: Received[] = []
  const receiver = {
    url: '',
    received,
    answer: (response: ServerResponse) => void response.end('ok'),
  }
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    received.push({
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(parts).toString(),
    })
    receiver.answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return receiver
}

/** Everything here takes milliseconds; a failure is seen soon. */
export function until<T>(check: () => Promise<T | false | null> | T | false | null, what: string) {
  return untilWithin(check, what, 15_000)
}

const START = Date.parse('2026-11-03T12:00:00Z')

/** The database, and ingesters' alert jobs whose time the test moves. */
export async function startStage(t: TestContext, { brokerUrl = 'mqtt://127.0.0.1:1' } = {}) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 2, timeoutMs: 60_000 })
  const { log, records } = silentLog()
  let nowMs = START
  const broker = {
    url: brokerUrl,
    clientId: 'qs-ingester-alerts',
    username: null,
    password: () => null,
    caFile: null,
  }
  const service: { alarms: Map<string, string>; disk: ServiceState['disk'] } = {
    alarms: new Map(),
    disk: null,
  }

  /** An ingester's job; its timer fires when the test says so. */
  const startJob = () => {
    let timer: (() => void) | null = null
    const clock: Clock = {
      now: () => instantFromMs(nowMs),
      monotonicMs: () => nowMs,
      after: (_ms, act) => {
        timer = act
        return () => {
          timer = null
        }
      },
      every: () => () => {},
    }
    const job = new AlertJob({ url, clock, service: () => service, broker, log })
    job.start()
    const look = async () => {
      assert.ok(timer)
      const act: () => void = timer
      timer = null
      act()
      await until(() => timer !== null, 'the job has looked')
    }
    return { job, look }
  }
  const first = startJob()
  const jobs = { current: first }
  t.after(async () => {
    await jobs.current.job.stop()
    await pool.end()
  })

  return {
    url,
    pool,
    records,
    service,
    startJob,
    jobs,
    now: () => new Date(nowMs),
    /** Only these rules. */
    rules: async (...rules: readonly (Partial<Rule> & Pick<Rule, 'name' | 'kind'>)[]) => {
      await pool.query('delete from alert_rules')
      for (const rule of rules) await putRule(pool, { ...DEFAULT_RULE, ...rule }, true)
    },
    /** Moves time on in steps, and lets the job look after each. */
    pass: async (seconds: number, step = 15) => {
      for (let left = seconds; left > 0; left -= step) {
        nowMs += Math.min(step, left) * 1000
        await jobs.current.look()
      }
    },
    restart: async () => {
      await jobs.current.job.stop()
      jobs.current = startJob()
    },
    /** A device that is seen now, and one reading of it. `every`: its rhythm in seconds. */
    reading: async (
      deviceId: string,
      value: number | null,
      { every = 60, type = 'temp', unit = '°C' } = {},
    ) => {
      const at = new Date(nowMs)
      await pool.query(
        `insert into devices (device_id, first_seen, last_seen, silent_after, clock) values ($1, $2, $2, $3, 'good')
         on conflict (device_id) do update set last_seen = excluded.last_seen`,
        [deviceId, at, every * 3],
      )
      await pool.query(
        `insert into series (device_id, event_type, events, first_ts, first_seen, last_seen, ts, event_id, value_num, unit,
           ts_device_readable, ts_server, silent_after)
         values ($1, $2, 1, $3, $3, $3, $3, 'e', $4, $5, true, $3, $6)
         on conflict (device_id, event_type) do update set last_seen = excluded.last_seen, value_num = excluded.value_num`,
        [deviceId, type, at, value, unit, every * 3],
      )
      await pool.query(
        `insert into ingest_stats values (date_trunc('minute', $1::timestamptz), 'w', 1, 1, 1, 0, 0) on conflict do nothing`,
        [at],
      )
    },
    /** What has been said, oldest first: `firing freezer kitchen temp`. */
    history: async () =>
      (
        await pool.query<{ line: string }>(
          `select trim(concat_ws(' ', change, rule, nullif(device_id, ''), nullif(event_type, ''))) as line
           from alert_history order by history_id`,
        )
      ).map(({ line }) => line),
  }
}

/** The alerts of the JSON body of a webhook: `firing freezer kitchen`. */
export function alertsIn({ body }: Received): readonly string[] {
  const { alerts } = JSON.parse(body) as {
    readonly alerts: readonly {
      readonly change: string
      readonly rule: string
      readonly device_id: string | null
    }[]
  }
  return alerts.map(({ change, rule, device_id }) => `${change} ${rule} ${device_id ?? ''}`.trim())
}
