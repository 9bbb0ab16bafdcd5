import type { TestContext } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { Client } from 'pg'
import { startEmbeddedPostgres } from '../../packages/qs/src/embedded/postgres/embedded-postgres.ts'
import { type EmbeddedEnv, embeddedEnv } from './embedded-stack.ts'
import type { FleetOptions } from './fleet.ts'
import { IngesterProcess } from './ingester.ts'
import { Scene } from './scene.ts'

export interface EmbeddedStageOptions {
  /** As it stands in the table. */
  readonly fault: string
  /** Of the first fleet. */
  readonly fleet?: FleetOptions
  /** Of `qs up`, beside its ports and its data directory. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Broker and pipeline are one process here. */
const MAX_MEMORY_MB = 400

/** `qs up` for one case: the embedded broker and PostgreSQL, devices that send, and the witness. */
export class EmbeddedStage extends Scene {
  /** Of MQTT. */
  readonly port: number
  readonly databaseUrl: string

  constructor(
    t: TestContext,
    { env, databaseUrl }: { readonly env: EmbeddedEnv; readonly databaseUrl: string },
    { fault, settings = {} }: EmbeddedStageOptions,
  ) {
    const brokerUrl = `mqtt://127.0.0.1:${env.MQTT_PORT}`
    super(t, { fault, brokerUrl, superUrl: databaseUrl, maxMemoryMb: MAX_MEMORY_MB })
    this.port = Number(env.MQTT_PORT)
    this.databaseUrl = databaseUrl
    this.watchOver(IngesterProcess.embedded(t, env), settings)
  }

  /** The names of the alarms that are raised, with their details, as /readyz has them. */
  async alarms(): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.ingester.httpPort}/readyz`)
    return answer.text()
  }
}

/** `qs up` ready, and the first fleet sending; ended with the test. */
export async function openEmbeddedStage(
  t: TestContext,
  options: EmbeddedStageOptions,
): Promise<EmbeddedStage> {
  let stage: EmbeddedStage | null = null
  // Hooks run in the order in which they are registered: this one before the data directory is removed.
  t.after(() => stage?.close())
  const env = await embeddedEnv(t, options.settings)
  stage = new EmbeddedStage(t, { env, databaseUrl: await makeDatabase(env) }, options)
  stage.ingester.start()
  await stage.ingester.ready()
  await stage.witness.open()
  await stage.addFleet(options.fleet ?? {}).start()
  return stage
}

/** The database that `qs up` finds, set to record the time of each COMMIT: the witness compares it with the ack. */
async function makeDatabase({ QS_DATA_DIR: dataDir, POSTGRES_PORT: port }: EmbeddedEnv): Promise<string> {
  const { url, stop } = await startEmbeddedPostgres({ dataDir, port: Number(port), log: silentLog().log })
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query('alter system set track_commit_timestamp = on')
  await client.end()
  await stop()
  return url
}
