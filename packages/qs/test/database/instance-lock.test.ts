import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase } from '@qs-telemetry/testing/postgres.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import pg from 'pg'
import { InstanceLock } from '../../src/database/instance-lock.ts'
import { FaultProxy } from '../../src/verify/fault-proxy.ts'

test('a session that has ended on the client side only does not count as another ingester', async (t) => {
  const url = new URL(await freshDatabase(t))
  const database = new pg.Client({ connectionString: url.href })
  await database.connect()
  const proxy = await FaultProxy.start({ host: url.hostname, port: Number(url.port) })
  url.port = String(proxy.port)
  const lost: Error[] = []
  const lock = new InstanceLock({
    url: url.href,
    name: 'me',
    log: silentLog().log,
    onLost: (error) => lost.push(error),
  })
  t.after(async () => {
    lock.release()
    await proxy.close()
    await database.end()
  })
  const holders = async () => {
    const { rows } = await database.query<{ pid: number }>(
      `select pid from pg_locks join pg_stat_activity using (pid)
       where locktype = 'advisory' and granted and datname = current_database()`,
    )
    return rows.map(({ pid }) => pid)
  }
  await lock.acquire()
  const before = await holders()
  proxy.leaveHalfOpen('server')
  await until(async () => {
    const [pid] = await holders()
    return pid !== undefined && pid !== before[0]
  }, 'the name is locked by the new session')
  assert.deepEqual(lost, [])
  assert.equal((await holders()).length, 1)
})
