import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { lasting } from './lasting.ts'
import { scale } from './scale.ts'
import { openSession } from './session.ts'
import { openStage } from './stage.ts'

const TIMES = scale(4, 1)
const LOCKED_MS = 2_000
const LIMIT_MS = 5_000

test('the schema changes under load: columns and indexes are added, with the locks they take', {
  skip: mosquittoMissing,
}, async (t) => {
  const stage = await openStage(t, {
    fault: 'schema changed under load (columns, indexes)',
    fleet: { eventsPerSecond: 500 },
  })
  const session = await openSession(t, stage.postgres)
  for (let n = 0; n < TIMES; n++) {
    await stage.more(500)
    await session.query(`begin; alter table events add column extra_${n} text default 'none'`)
    await lasting(LOCKED_MS)
    await session.query('commit')
    await stage.flowing(LIMIT_MS, 'a new column')
    await session.query(`begin; create index extra_${n} on events (extra_${n})`)
    await lasting(LOCKED_MS)
    await session.query('commit')
    await stage.flowing(LIMIT_MS, 'a new index')
    await session.query(`create index concurrently late_${n} on events (value_num)`)
    await session.query(`alter table events alter column extra_${n} type varchar`)
    await stage.flowing(LIMIT_MS, 'a column of another type')
  }
  await stage.more(500)
  await stage.finish()
})
