import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { FleetOptions } from './fleet.ts'
import { lasting } from './lasting.ts'
import type { OpenStage } from './stacks.ts'
import { openStage } from './stage.ts'

export interface Outage {
  readonly seconds: number
  readonly fleet: FleetOptions
  /** Time for the waiting events to be stored afterwards. */
  readonly quietMs: number
  /** Default: Mosquitto and `qs ingest`. */
  readonly open?: OpenStage
}

const LIMIT_MS = 5_000
const MAX_MEMORY_MB = 200

/** Stops PostgreSQL for `seconds` while devices continue at 1,000 events per second. */
export async function postgresAway(
  t: TestContext,
  { seconds, fleet, quietMs, open = openStage }: Outage,
): Promise<void> {
  const stage = await open(t, {
    fault: `PostgreSQL away for ${seconds} s at 1,000 events per second`,
    fleet: { ...fleet, eventsPerSecond: 1_000 },
  })
  await stage.more(2_000)
  await stage.postgres.stop()
  stage.watch.takeResidentMb()
  await lasting(seconds * 1_000)
  const residentMb = stage.watch.takeResidentMb()
  assert.ok(residentMb > 0, 'the memory was not measured')
  assert.ok(residentMb < MAX_MEMORY_MB, `${residentMb} MB while PostgreSQL was away`)
  await stage.postgres.start()
  await stage.flowing(LIMIT_MS, 'the outage')
  await stage.more(2_000)
  await stage.finish({ quietMs })
}
