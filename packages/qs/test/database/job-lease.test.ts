import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { JobLease } from '../../src/database/job-lease.ts'
import { withClient } from '../../src/database/open-client.ts'
import { inTurn } from '../../src/hours/in-turn.ts'

test('a job belongs to one ingester until that one ends', async (t) => {
  const url = await migratedDatabase(t)
  const [one, other] = [new JobLease('backupSchedule'), new JobLease('backupSchedule')]
  t.after(() => other.release())
  assert.equal(await one.hold(url), true)
  assert.equal(await other.hold(url), false)
  assert.equal(await one.hold(url), true, 'it is kept')
  one.release()
  while (!(await other.hold(url))) {}
})

test('who makes the backups keeps nobody from counting the numbers by the hour', async (t) => {
  const url = await migratedDatabase(t)
  const lease = new JobLease('backupSchedule')
  t.after(() => lease.release())
  assert.equal(await lease.hold(url), true)
  assert.equal(await withClient(url, (client) => inTurn(client, async () => 'counted')), 'counted')
})
