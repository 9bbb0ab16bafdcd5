import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase } from '@qs-telemetry/testing/postgres.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import pg from 'pg'
import { createPool, queryOnce } from '../../src/database/pool.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import { hasCode } from '../../src/errors/qs-error.ts'
import { FaultProxy } from '../../src/verify/fault-proxy.ts'

const SLEEP = 'select pg_sleep(60)'

test('a connection that breaks during a query fails the query, not the process', async (t) => {
  const url = new URL(await freshDatabase(t))
  const proxy = await FaultProxy.start({ host: url.hostname, port: Number(url.port) })
  t.after(() => proxy.close())
  const direct = new pg.Client({ connectionString: url.href })
  await direct.connect()
  t.after(() => direct.end())
  url.port = String(proxy.port)
  const pool = createPool(url.href, { timeoutMs: 30_000 })
  const people = new QueryPool(url.href, { name: 'people', connections: 1, timeoutMs: 30_000 })
  t.after(async () => {
    await pool.end()
    await people.end()
  })
  const asked = [queryOnce(pool, SLEEP), people.query(SLEEP)]
  const ends = Promise.allSettled(asked)
  const isAsleep = async () =>
    (
      await direct.query(
        "select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()",
      )
    ).rowCount === 2
  await until(isAsleep, 'both queries are running')
  proxy.reset()
  for (const { status } of await ends) assert.equal(status, 'rejected')
  assert.equal((await queryOnce(pool, 'select 1 as one'))[0]?.one, 1)
  assert.deepEqual(await people.query('select 1 as one'), [{ one: 1 }])
})

test('a query without an answer in time fails with advice', async (t) => {
  const pool = createPool(await freshDatabase(t), { timeoutMs: 500 })
  t.after(() => pool.end())
  await assert.rejects(queryOnce(pool, SLEEP), (error) => hasCode(error, 'DATABASE_NO_ANSWER'))
  assert.equal((await queryOnce(pool, 'select 1 as one'))[0]?.one, 1)
})
