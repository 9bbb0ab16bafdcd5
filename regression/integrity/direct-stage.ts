import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { DEFAULT_IN_FLIGHT } from '../../packages/qs/src/config/default-in-flight.ts'
import { IngesterProcess } from './ingester.ts'
import { goodItem, item, type MakeItem } from './item.ts'
import { Postgres } from './postgres.ts'
import { Scene } from './scene.ts'
import type { StageOptions } from './stage.ts'

/** A stage for cases that need no Mosquitto. */
export interface DirectStageOptions
  extends Pick<
    StageOptions,
    'fault' | 'fleet' | 'settings' | 'postgres' | 'openDatabase' | 'mayBeVisibleLate' | 'maxMemoryMb'
  > {
  /** Put a proxy between `qs up` and its database, or between the devices and `qs up`. */
  readonly wrapDatabase?: (url: string) => Promise<string>
  readonly wrapBroker?: (url: string) => Promise<string>
}

interface Places {
  readonly postgres: Postgres
  readonly env: Readonly<Record<string, string>>
  /** Where the devices find the broker. */
  readonly brokerUrl: string
}

/** Broker, console and pipeline are one process. */
const MAX_MEMORY_MB = 300
const MESSAGES_PER_SECOND = 20
/** Dead letters above DEAD_LETTER_RATE, 100 a minute, are only counted. */
const BAD_EVERY = 200

/** Each forgets what it sent at the PUBACK or PUBREC. */
const PUBLISHERS = [
  { deviceId: 'trusting-311', version: 4, qos: 1 },
  { deviceId: 'trusting-311-twice', version: 4, qos: 2 },
  { deviceId: 'trusting-5', version: 5, qos: 1 },
  { deviceId: 'trusting-5-twice', version: 5, qos: 2 },
] as const

/** Now and then an event that can never be stored, of which the reason code tells an MQTT 5 client. */
const mixedItem: MakeItem = (deviceId, n) =>
  n % BAD_EVERY === BAD_EVERY - 1
    ? item(deviceId, n, { event_type: 't', unit: 'longer than a unit may be'.repeat(2) }, 'rejected')
    : goodItem(deviceId, n)

/**
 * `qs up` with a PostgreSQL of its own that a case may stop, kill, fill and cut off; devices that wait for their device
 * acks, and devices that trust the PUBACK.
 */
export class DirectStage extends Scene {
  readonly postgres: Postgres
  /** MQTT port. */
  readonly port: number

  constructor(t: TestContext, { postgres, env, brokerUrl }: Places, options: DirectStageOptions) {
    const { fault, maxMemoryMb = MAX_MEMORY_MB, mayBeVisibleLate = false } = options
    super(t, {
      fault: `qs up: ${fault}`,
      maxMemoryMb,
      mayBeVisibleLate,
      brokerUrl,
      superUrl: postgres.superUrl,
    })
    this.postgres = postgres
    this.port = Number(env.MQTT_PORT)
    this.watchOver(IngesterProcess.embedded(t, env), 2 * DEFAULT_IN_FLIGHT.up)
  }
}

/** Starts PostgreSQL, `qs up` and the devices; all end with the test. */
export async function openDirectStage(t: TestContext, options: DirectStageOptions): Promise<DirectStage> {
  let stage: DirectStage | null = null
  // Hooks run in the order of registration: this one before those of the servers.
  t.after(() => stage?.close())
  const postgres = await (options.openDatabase?.(t) ?? Postgres.open(t, options.postgres))
  const directory = mkdtempSync(join(tmpdir(), 'qs-regression-up-'))
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  const env = {
    QS_DATA_DIR: directory,
    DATABASE_URL: (await options.wrapDatabase?.(postgres.url)) ?? postgres.url,
    MQTT_PORT: String(await freePort()),
    MQTT_WS_PORT: String(await freePort()),
    HTTP_PORT: String(await freePort()),
    LOG_LEVEL: 'warn',
    ...options.settings,
  }
  const url = `mqtt://127.0.0.1:${env.MQTT_PORT}`
  const brokerUrl = (await options.wrapBroker?.(url)) ?? url
  stage = new DirectStage(t, { postgres, env, brokerUrl }, options)
  await stage.witness.open()
  stage.ingester.start()
  await stage.ingester.ready()
  await stage.addFleet(options.fleet ?? {}).start()
  for (const publisher of PUBLISHERS) {
    stage.addPublisher({ ...publisher, messagesPerSecond: MESSAGES_PER_SECOND, makeItem: mixedItem })
  }
  return stage
}
