import type { TestContext } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { Client } from 'pg'
import { DEFAULT_IN_FLIGHT } from '../../packages/qs/src/config/default-in-flight.ts'
import { startEmbeddedPostgres } from '../../packages/qs/src/embedded/postgres/embedded-postgres.ts'
import { type EmbeddedEnv, embeddedEnv } from './embedded-stack.ts'
import type { FleetOptions } from './fleet.ts'
import { IngesterProcess } from './ingester.ts'
import { Scene } from './scene.ts'

export interface EmbeddedStageOptions {
  /** Its name in the table. */
  readonly fault: string
  /** Options of the first fleet. */
  readonly fleet?: FleetOptions
  /** Settings of `qs up` in addition to its ports and data directory. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Broker and pipeline are one process here. */
const MAX_MEMORY_MB = 400

/** `qs up` for one case: the embedded broker and PostgreSQL, devices that send, and the witness. */
export class EmbeddedStage extends Scene {
  /** MQTT port. */
  readonly port: number
  readonly databaseUrl: string

  constructor(
    t: TestContext,
    { env, databaseUrl }: { readonly env: EmbeddedEnv; readonly databaseUrl: string },
    { fault }: EmbeddedStageOptions,
  ) {
    const brokerUrl = `mqtt://127.0.0.1:${env.MQTT_PORT}`
    super(t, { fault, brokerUrl, superUrl: databaseUrl, maxMemoryMb: MAX_MEMORY_MB })
    this.port = Number(env.MQTT_PORT)
    this.databaseUrl = databaseUrl
    this.watchOver(IngesterProcess.embedded(t, env), 2 * DEFAULT_IN_FLIGHT.up)
  }

  /** The raised alarms with their details, as reported by /readyz. */
  async alarms(): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.ingester.httpPort}/readyz`)
    return answer.text()
  }
}

/** Starts `qs up` and the first fleet; both end with the test. */
export async function openEmbeddedStage(
  t: TestContext,
  options: EmbeddedStageOptions,
): Promise<EmbeddedStage> {
  let stage: EmbeddedStage | null = null
  // Hooks run in the order of registration: this one before the data directory is removed.
  t.after(() => stage?.close())
  const env = await embeddedEnv(t, options.settings)
  stage = new EmbeddedStage(t, { env, databaseUrl: await makeDatabase(env) }, options)
  stage.ingester.start()
  await stage.ingester.ready()
  await stage.witness.open()
  await stage.addFleet(options.fleet ?? {}).start()
  return stage
}

/** Makes a database for `qs up` that records the time of each COMMIT, which the witness compares with the ack. */
async function makeDatabase({ QS_DATA_DIR: dataDir, POSTGRES_PORT: port }: EmbeddedEnv): Promise<string> {
  const { url, stop } = await startEmbeddedPostgres({ dataDir, port: Number(port), log: silentLog().log })
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query('alter system set track_commit_timestamp = on')
  await client.end()
  await stop()
  return url
}
