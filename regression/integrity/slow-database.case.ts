import { until } from '@qs-telemetry/testing/until.ts'
import { lasting } from './lasting.ts'
import { scale } from './scale.ts'
import { openSession } from './session.ts'
import { testBothStacks } from './stacks.ts'

/** Below and above DATABASE_TIMEOUT (1 s here). */
const SLOW_MS = [300, 2_500]
const LASTS_MS = scale(20_000, 6_000)
const LIMIT_MS = 10_000

testBothStacks(
  'a slow database still gets everything, even if it takes longer than DATABASE_TIMEOUT',
  async (t, open) => {
    const stage = await open(t, {
      fault: `slow database (${SLOW_MS.join(' and ')} ms for each batch, DATABASE_TIMEOUT 1 s)`,
      fleet: { eventsPerSecond: 500 },
      settings: { DATABASE_TIMEOUT: '1s' },
    })
    const session = await openSession(t, stage.postgres)
    await session.query(`
    create table pace (ms int);
    grant select on pace to qs;
    create function take_time() returns trigger language plpgsql as $$
    begin
      perform pg_sleep(ms / 1000.0) from pace;
      return null;
    end $$;
    create trigger take_time before insert on events for each statement execute function take_time()`)
    for (const ms of SLOW_MS) {
      await stage.more(300)
      const before = stage.acked
      await session.query('insert into pace values ($1)', [ms])
      await lasting(LASTS_MS)
      await until(() => stage.acked > before, `a batch that takes ${ms} ms is acked`)
      await session.query('delete from pace')
      await stage.flowing(LIMIT_MS, `${ms} ms for each batch`)
    }
    await stage.more(300)
    await stage.finish()
  },
)
