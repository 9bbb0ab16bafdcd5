import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CITUS_STAND_IN } from '@qs-telemetry/testing/citus-stand-in.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { askWorkers, silentWorkers } from '../../src/database/citus-workers.ts'
import { createPool, queryOnce } from '../../src/database/pool.ts'
import { databaseCheck } from '../../src/http/checks.ts'
import { answersOf } from '../../src/http/health.ts'
import { withResolvers } from '../../src/pipeline/promises.ts'

const UNREACHABLE = { ok: false, detail: 'unreachable; see the log and qs doctor' }

test('readiness hides the database error, and the log shows it once for many probes', async () => {
  const { log, records } = silentLog()
  const check = databaseCheck(async () => {
    throw new Error('password authentication failed for user "qs_owner" at db.internal')
  }, log)
  for (let probe = 0; probe < 20; probe++) assert.deepEqual(await check(), UNREACHABLE)
  assert.equal(records.length, 1)
  assert.match(JSON.stringify(records[0]), /qs_owner.*cannot reach the database/)
})

test('probes that come while the database is asked share its answer', async () => {
  const asked: ReturnType<typeof withResolvers<readonly []>>[] = []
  const check = databaseCheck(() => {
    const answer = withResolvers<readonly []>()
    asked.push(answer)
    return answer.promise
  }, silentLog().log)
  const probes = [check(), check()]
  asked[0]?.resolve([])
  for (const { ok } of await Promise.all(probes)) assert.ok(ok)
  assert.equal(asked.length, 1)
  const later = check()
  asked[1]?.resolve([])
  assert.ok((await later).ok)
})

test('a worker of Citus that is away makes the ingester unready, by its number only, and plain PostgreSQL is asked once', async (t) => {
  const pool = createPool(await migratedDatabase(t), { timeoutMs: 10_000 })
  t.after(() => pool.end())
  const statements: string[] = []
  const query = (text: string) => {
    statements.push(text)
    return queryOnce(pool, text)
  }
  assert.deepEqual(await askWorkers(query, { command: 'select 1', timeoutMs: 900 }), [])
  assert.equal(statements.length, 1)

  await pool.query(CITUS_STAND_IN)
  const { log, records } = silentLog()
  const answers = answersOf({
    checks: { database: databaseCheck(() => silentWorkers(pool), log) },
    failure: () => null,
    metrics: async () => ({ contentType: '', text: '' }),
  })
  const ready = async () => {
    const answer = await answers['/readyz']?.()
    return [answer?.status, JSON.parse(answer?.text ?? '').checks.database.detail as string] as const
  }
  assert.equal((await ready())[0], 200)
  await pool.query('update pg_dist_node set away = true where nodeid = 4')
  assert.equal((await ready())[0], 200, 'it has no events')
  await pool.query('update pg_dist_node set away = true where nodeid = 3')
  assert.deepEqual(await ready(), [
    503,
    'no answer from worker 3 of Citus (nodeid); see the log and qs doctor',
  ])
  assert.match(JSON.stringify(records), /failed to connect to worker-3:5432.*batches with events for it wait/)
  await pool.query(`
    create or replace function run_command_on_workers(command text, parallel boolean default true)
    returns table (nodename text, nodeport int, success boolean, result text) language plpgsql as $$
    begin
      raise insufficient_privilege;
    end $$`)
  assert.equal((await ready())[0], 200, 'the role may not ask')
  await pool.query('delete from pg_dist_shard')
  assert.equal((await ready())[0], 200, 'events is not distributed')
})
