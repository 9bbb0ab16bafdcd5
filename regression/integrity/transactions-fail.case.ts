import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { Gate } from './gate.ts'
import { lasting } from './lasting.ts'
import { scale } from './scale.ts'
import { openSession } from './session.ts'
import { openStage } from './stage.ts'

const TIMES = scale(5, 2)
const LIMIT_MS = 8_000
/** The line that each failure leaves in PostgreSQL's log. */
const SAID = {
  deadlock: /deadlock detected/,
  'serialization failure': /could not serialize access due to concurrent update/,
  'statement timeout': /canceling statement due to statement timeout/,
  'lock timeout': /canceling statement due to lock timeout/,
  'connection ended by an administrator': /terminating connection due to administrator command/,
}

test('deadlocks, serialization failures and timeouts of statements and locks are tried again, and cost nothing', {
  skip: mosquittoMissing,
}, async (t) => {
  const stage = await openStage(t, {
    fault: 'deadlock, serialization failure, statement and lock timeout',
    fleet: { eventsPerSecond: 300 },
    postgres: { settings: ['deadlock_timeout=500ms'] },
  })
  const { postgres } = stage
  const gate = await Gate.build(t, stage, 'insert')
  const session = await openSession(t, postgres)
  /** Changes a setting of the ingester's role and ends its sessions, so that new ones use it. */
  const configure = async (setting: string) => {
    await session.query(`alter role qs ${setting}`)
    await session.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'qs' and application_name = 'qs-ingester'",
    )
    await stage.flowing(LIMIT_MS, `alter role qs ${setting}`)
  }

  // This session checks for a deadlock later, so that the ingester's session detects it.
  await gate.session.query("set deadlock_timeout = '30s'")
  for (let n = 0; n < TIMES; n++) {
    await stage.more(100)
    await gate.close()
    await gate.holds()
    // It waits for our lock, and we wait for the table that it writes to.
    await gate.session.query('begin; lock table events in share mode; commit')
    await gate.open()
    await stage.flowing(LIMIT_MS, 'a deadlock')
  }

  await configure("set default_transaction_isolation = 'repeatable read'")
  for (let n = 0; n < TIMES; n++) {
    await gate.close()
    await gate.holds()
    // The snapshot of the waiting transaction is older than this.
    await session.query('update ingest_stats set messages = messages')
    await gate.open()
    await stage.flowing(LIMIT_MS, 'a serialization failure')
  }
  await configure('reset default_transaction_isolation')

  for (const timeout of ['statement_timeout', 'lock_timeout']) {
    await configure(`set ${timeout} = '300ms'`)
    for (let n = 0; n < TIMES; n++) {
      await stage.more(100)
      await session.query('begin; lock table events in exclusive mode')
      await lasting(1_000)
      await session.query('commit')
      await stage.flowing(LIMIT_MS, timeout)
    }
    await configure(`reset ${timeout}`)
  }

  await stage.more(300)
  await stage.finish()
  const log = postgres.log()
  for (const [fault, said] of Object.entries(SAID)) assert.match(log, said, `there was no ${fault}`)
})
