import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { postgresAway } from './postgres-away.ts'
import { scale } from './scale.ts'

const SECONDS = scale(15, 5)

test(
  `PostgreSQL is away for ${SECONDS} s, messages of one event: memory stays below 200 MB, and it flows within 5 s`,
  {
    skip: mosquittoMissing,
  },
  (t) => postgresAway(t, { seconds: SECONDS, fleet: {}, quietMs: 60_000 }),
)
