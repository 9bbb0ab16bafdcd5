import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CITUS_STAND_IN } from '@qs-telemetry/testing/citus-stand-in.ts'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { withClient } from '../../src/database/open-client.ts'
import { checkWorkers } from '../../src/doctor/check-workers.ts'
import type { Finding } from '../../src/doctor/finding.ts'

test('the doctor asks the workers of Citus whether a COMMIT holds there', async (t) => {
  const url = await migratedDatabase(t)
  const run = (text: string, values: unknown[] = []) =>
    withClient(url, (database) => database.query(text, values))
  const look = () =>
    withClient(url, async (database) => {
      const found: Finding[] = []
      for await (const finding of checkWorkers(database, configOf({}))) found.push(finding)
      return found.map(({ name, status, detail }) => [name, status, detail] as const)
    })
  /** The findings that are not as they were, with one worker that answers like this. */
  const say = async (says: object) => {
    await run('update pg_dist_node set says = $1 where nodeid = 2', [JSON.stringify(says)])
    return (await look()).filter(([, status]) => !['ok', 'unknown'].includes(status))
  }
  assert.deepEqual(await look(), [], 'plain PostgreSQL has no workers')

  await run(CITUS_STAND_IN)
  // That of the tests is fast and forgets.
  const sound = { fsync: 'on', fullPageWrites: 'on', synchronousCommit: 'on', prepared: 200 }
  await run('update pg_dist_node set says = $1', [JSON.stringify(sound)])
  assert.deepEqual(await look(), [
    ['worker reachable', 'ok', 'worker-2:5432, worker-3:5432'],
    ['worker durability', 'ok', 'fsync, full_page_writes, synchronous_commit are on; writable'],
    [
      'worker limits',
      'ok',
      'max_prepared_transactions is 200 or more, max_connections at least that of the coordinator',
    ],
    ['worker transactions', 'ok', 'none is left prepared'],
    ['worker versions', 'ok', 'Citus none on 3 nodes'],
    ['worker disk', 'unknown', 'PostgreSQL cannot say how much is free'],
  ])

  for (const [key, name] of [
    ['fsync', 'fsync'],
    ['fullPageWrites', 'full_page_writes'],
    ['synchronousCommit', 'synchronous_commit'],
  ] as const)
    assert.deepEqual(await say({ ...sound, [key]: 'off' }), [
      [`worker ${name}`, 'problem', 'off on worker-2:5432'],
    ])
  const name = new URL(url).pathname.slice(1)
  const { synchronousCommit: _, ...without } = sound
  await run(`create role ${name}; alter role ${name} set synchronous_commit = false`)
  t.after(() => run(`drop owned by ${name}; drop role ${name}`))
  const isOff = async () => String(await say(without)).includes('worker synchronous_commit')
  assert.equal(await isOff(), false, 'of a role that stores nothing')
  await run(`grant insert on events to ${name}`)
  assert.equal(await isOff(), true, 'of a role that stores events')
  assert.deepEqual(await say({ ...sound, readOnly: true }), [
    ['worker writable', 'problem', 'worker-2:5432 is a standby'],
  ])
  assert.match(String(await say({ ...sound, prepared: 1 })), /^worker limits,problem,max_prepared.* is 1 on/)
  assert.match(
    String(await say({ ...sound, connections: 3 })),
    /^worker limits,warning,max_connections is 3 on/,
  )
  assert.match(
    String(await say({ ...sound, left: 7 })),
    /^worker transactions,problem,left prepared: 7 on worker-2/,
  )
  assert.match(
    String(await say({ ...sound, citus: '12.1-1' })),
    /^worker versions,warning,.*worker-2.* Citus 12.1-1/,
  )

  await run('update pg_dist_node set away = true where nodeid = 2')
  assert.match(
    String(await say(sound)),
    /^worker reachable,problem,worker-2:5432: failed to connect.* commits$/,
  )
})
