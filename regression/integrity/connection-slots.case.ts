import assert from 'node:assert/strict'
import { Client } from 'pg'
import { lasting } from './lasting.ts'
import { scale } from './scale.ts'
import { openSession } from './session.ts'
import { testBothStacks } from './stacks.ts'

const TIMES = scale(3, 1)
const LIMIT_MS = 8_000
const SLOTS = 20

testBothStacks(
  'an ingester waits for a connection while all slots are taken, and loses nothing',
  async (t, open) => {
    const stage = await open(t, {
      fault: 'all connection slots of PostgreSQL taken',
      postgres: { settings: [`max_connections=${SLOTS}`] },
    })
    const session = await openSession(t, stage.postgres)
    for (let n = 0; n < TIMES; n++) {
      await stage.more(300)
      const others = await takeAllSlots(stage.postgres.url)
      assert.ok(others.length > 0)
      await session.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'qs-ingester%'",
      )
      // Take its slot before it reconnects.
      others.push(...(await takeAllSlots(stage.postgres.url)))
      await lasting(4_000)
      for (const each of others) await each.end()
      await stage.flowing(LIMIT_MS, 'there are slots again')
    }
    await stage.more(300)
    await stage.finish()
    assert.match(stage.postgres.log(), /remaining connection slots are reserved/)
  },
)

async function takeAllSlots(url: string): Promise<Client[]> {
  const taken: Client[] = []
  for (;;) {
    const client = new Client({ connectionString: url, application_name: 'greedy' })
    client.on('error', () => {})
    try {
      await client.connect()
      taken.push(client)
    } catch {
      return taken
    }
  }
}
