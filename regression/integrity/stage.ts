import type { TestContext } from 'node:test'
import { type Mosquitto, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { DEFAULT_IN_FLIGHT } from '../../packages/qs/src/config/default-in-flight.ts'
import type { FleetOptions } from './fleet.ts'
import { IngesterProcess } from './ingester.ts'
import { Postgres, type PostgresOptions } from './postgres.ts'
import { Scene } from './scene.ts'

export interface StageOptions {
  /** Its name in the table. */
  readonly fault: string
  /** Options of the first fleet. */
  readonly fleet?: FleetOptions
  /** Settings of the ingester in addition to the URLs of broker and database. */
  readonly settings?: Readonly<Record<string, string>>
  readonly postgres?: PostgresOptions
  /** Starts the database; default one PostgreSQL. */
  readonly openDatabase?: (t: TestContext) => Promise<Postgres>
  /** Lines added to the shipped configuration of Mosquitto. */
  readonly broker?: readonly string[]
  /** Put a proxy between the ingester and its broker or database; fleet and witness connect directly. */
  readonly wrapBroker?: (url: string, stage: Stage) => Promise<string> | string
  readonly wrapDatabase?: (url: string, stage: Stage) => Promise<string> | string
  /** Done to the database after its migration and before the first event. */
  readonly prepare?: (postgres: Postgres) => Promise<unknown>
  /** See `Checker`. */
  readonly mayBeVisibleLate?: boolean
  /** Bound of the ingester's resident memory; default 256. */
  readonly maxMemoryMb?: number
}

/**
 * Real servers for one case: Mosquitto as shipped, a PostgreSQL of its own, the ingester as a process, devices that
 * send, and the witness. Events flow when `openStage` resolves; the case then causes the fault, and `finish` gives the
 * verdict.
 */
export class Stage extends Scene {
  readonly broker: Mosquitto
  readonly postgres: Postgres
  readonly #t: TestContext
  readonly #options: StageOptions

  constructor(t: TestContext, servers: { broker: Mosquitto; postgres: Postgres }, options: StageOptions) {
    const { broker, postgres } = servers
    const { fault, maxMemoryMb = 256, mayBeVisibleLate = false } = options
    super(t, { fault, maxMemoryMb, mayBeVisibleLate, brokerUrl: broker.url, superUrl: postgres.superUrl })
    this.#t = t
    this.#options = options
    this.broker = broker
    this.postgres = postgres
  }

  /** Another ingester on the same servers, not started yet; it may share a client id or have its own. */
  async addIngester(settings: Readonly<Record<string, string>> = {}): Promise<IngesterProcess> {
    const { wrapBroker, wrapDatabase } = this.#options
    const all: Readonly<Record<string, string>> = { ...this.#options.settings, ...settings }
    const ingester = await IngesterProcess.create(this.#t, {
      mqttUrl: (await wrapBroker?.(this.broker.url, this)) ?? this.broker.url,
      databaseUrl: (await wrapDatabase?.(this.postgres.url, this)) ?? this.postgres.url,
      settings: all,
    })
    this.watchOver(ingester, Number(all.IN_FLIGHT_MESSAGES ?? DEFAULT_IN_FLIGHT.ingest))
    return ingester
  }
}

/** Starts the servers, the ingester and the first fleet; all end with the test. */
export async function openStage(t: TestContext, options: StageOptions): Promise<Stage> {
  let stage: Stage | null = null
  // Hooks run in the order of registration: this one before those of the servers.
  t.after(() => stage?.close())
  const [broker, postgres] = await Promise.all([
    startMosquitto(t, { isShipped: true, config: options.broker ?? [] }),
    options.openDatabase?.(t) ?? Postgres.open(t, options.postgres),
  ])
  stage = new Stage(t, { broker, postgres }, options)
  // What it changes of the witness's role holds for new sessions.
  await options.prepare?.(postgres)
  await stage.witness.open()
  const ingester = await stage.addIngester()
  ingester.start()
  await ingester.ready()
  await stage.addFleet(options.fleet ?? {}).start()
  return stage
}
