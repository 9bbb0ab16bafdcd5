import { scale } from './scale.ts'
import { testBothStacks } from './stacks.ts'

const ENDS = ['kill', 'SIGQUIT', 'SIGINT'] as const
const TIMES = scale(15, 3)
const LIMIT_MS = 5_000

testBothStacks(
  `PostgreSQL ends ${TIMES} times, by SIGKILL to all its processes, immediate and fast shutdown, and events flow within 5 s of its return`,
  async (t, open) => {
    const stage = await open(t, {
      fault: `PostgreSQL killed or stopped ${TIMES} times`,
      fleet: { eventsPerSecond: 500 },
    })
    const { postgres } = stage
    for (let n = 0; n < TIMES; n++) {
      await stage.more(300)
      const end = ENDS[n % ENDS.length]
      if (end === 'kill' || end === undefined) await postgres.kill()
      else await postgres.stop(end)
      await postgres.start()
      await stage.flowing(LIMIT_MS, `${end} of PostgreSQL`)
    }
    await stage.more(300)
    await stage.finish()
  },
)
