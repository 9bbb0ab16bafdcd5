import { postgresAway } from './postgres-away.ts'
import { scale } from './scale.ts'
import { testBothStacks } from './stacks.ts'

const SECONDS = scale(15, 5)

testBothStacks(
  `PostgreSQL is away for ${SECONDS} s, messages of one event: memory stays below 200 MB, and it flows within 5 s`,
  (t, open) => postgresAway(t, { seconds: SECONDS, fleet: {}, quietMs: 60_000, open }),
)
