import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { postgresAway } from './postgres-away.ts'
import { scale } from './scale.ts'

const SECONDS = scale(600, 12)

test(
  `PostgreSQL is away for ${SECONDS} s, arrays of ten: memory stays below 200 MB, and it flows within 5 s`,
  {
    skip: mosquittoMissing,
  },
  (t) =>
    postgresAway(t, {
      seconds: SECONDS,
      // Devices that resend every few seconds for ten minutes would measure the broker.
      fleet: { arrayEvents: 10, resendAfterMs: 900_000 },
      quietMs: 180_000,
    }),
)
