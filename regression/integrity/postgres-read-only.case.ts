import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { lasting } from './lasting.ts'
import { scale } from './scale.ts'
import { openSession } from './session.ts'
import { openStage } from './stage.ts'

const TIMES = scale(4, 1)
const READ_ONLY_MS = 4_000
const LIMIT_MS = 5_000

test('a database that is read-only for a while, as in a failover, costs nothing', {
  skip: mosquittoMissing,
}, async (t) => {
  const stage = await openStage(t, {
    fault: `PostgreSQL read-only ${TIMES === 1 ? 'once' : `${TIMES} times`} (failover)`,
    fleet: { eventsPerSecond: 500 },
  })
  const session = await openSession(t, stage.postgres)
  const readOnly = async (value: 'on' | 'off') => {
    await session.query(`alter system set default_transaction_read_only = ${value}`)
    await session.query('select pg_reload_conf()')
  }
  for (let n = 0; n < TIMES; n++) {
    await stage.more(500)
    await readOnly('on')
    // Every other time the sessions end too, as they do when a primary steps down.
    if (n % 2 === 0) {
      await session.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'qs'")
    }
    await lasting(READ_ONLY_MS)
    await readOnly('off')
    await stage.flowing(LIMIT_MS, 'the failover')
  }
  await stage.more(500)
  await stage.finish()
})
