import type { Duplex } from 'node:stream'
import { instantFromMs } from '@qs-telemetry/protocol'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { createPipeline, type Pipeline } from '../../packages/qs/src/app/pipeline.ts'
import { DEFAULT_IN_FLIGHT } from '../../packages/qs/src/config/default-in-flight.ts'
import type { Config } from '../../packages/qs/src/config/settings.ts'
import { QsError } from '../../packages/qs/src/errors/qs-error.ts'
import type { Clock } from '../../packages/qs/src/pipeline/clock.ts'
import type { SocketOptions } from '../../packages/qs/src/source/open-socket.ts'
import { createLog, type Log } from '../../packages/qs/src/telemetry/log.ts'
import type { Broker } from './broker.ts'
import type { Database } from './database.ts'
import { MAX_CHUNK_BYTES } from './link.ts'
import type { World } from './world.ts'

/** 2026-11-25T00:00:00Z, the start of every simulation. */
export const EPOCH_MS = 1_795_564_800_000
const DRAIN_MS = 5_000
/** Time allowed after the drain: one second for DISCONNECT, and the network. */
const STOP_SLACK_MS = 3_000
const RESTART_MS = 500
/** Every simulated message is longer, with topic and header. */
const MIN_MESSAGE_BYTES = 40

export interface IngesterOptions {
  readonly config: Config
  readonly broker: Broker
  readonly database: Database
}

interface Process {
  readonly pipeline: Pipeline
  isAlive: boolean
  /** Closed by the kernel when the process ends. */
  readonly opened: Set<{ destroy(): void }>
}

/** A process that runs the pipeline, ends in every way a process can, and is restarted. */
export class Ingester {
  /** Error of its host's clock. */
  skewMs = 0
  readonly #world: World
  readonly #options: IngesterOptions
  #process: Process | null = null

  constructor(world: World, options: IngesterOptions) {
    this.#world = world
    this.#options = options
  }

  get isIdle(): boolean {
    const status = this.#process?.pipeline.source.status
    return status?.isConnected === true && status.unsettledMessages === 0
  }

  start(): void {
    const { config, broker, database } = this.#options
    const { timeline, random, faults } = this.#world
    const clock = this.#clock(() => process.isAlive)
    const opened = new Set<{ destroy(): void }>()
    const openSocket = ({ timeoutMs, signal }: SocketOptions) =>
      new Promise<Duplex>((resolve, reject) => {
        const fail = (reason: string) => reject(new QsError('BROKER_UNREACHABLE', `No connection: ${reason}`))
        const onAbort = () => fail('stopped')
        signal.addEventListener('abort', onAbort)
        if (signal.aborted) return fail('stopped')
        clock.after(broker.isAway && random.chance(0.5) ? timeoutMs : faults.latencyMs, () => {
          if (signal.aborted) return
          signal.removeEventListener('abort', onAbort)
          const socket = broker.connect()
          if (socket === null) return fail('no broker')
          opened.add(socket)
          resolve(socket)
        })
      })
    const connect = async ({ connectTimeoutMs }: { readonly connectTimeoutMs: number }) => {
      const connection = await database.connect(connectTimeoutMs)
      opened.add(connection)
      if (!process.isAlive) connection.destroy()
      return connection
    }
    const pipeline = createPipeline({
      config,
      mqttUrl: 'mqtt://simulated:1883',
      databaseUrl: 'postgresql://simulated',
      timeZoneOf: () => undefined,
      log: this.#log(),
      edges: { openSocket, connect, clock, random: () => random.next() },
    })
    const process: Process = { pipeline, isAlive: true, opened }
    this.#process = process
    void pipeline.start()
    void pipeline.failed.then((error) => {
      this.#world.tell?.('ingester', `fails: ${error.message}`)
      if (this.#process === process) void this.restart()
    })
    const scrape = async () => {
      if (process.isAlive) await this.#scrape(pipeline)
    }
    const again = () => timeline.after(1_000, () => process.isAlive && void scrape().then(again))
    again()
  }

  /** SIGKILL: it stops acting, and the kernel closes what it had open. */
  kill(): void {
    const process = this.#process
    if (process === null) return
    this.#process = null
    process.isAlive = false
    for (const each of process.opened) each.destroy()
    this.#startLater()
  }

  /** SIGTERM or a failure of its own: it drains within its time limit, and an orchestrator starts the next process. */
  async restart(): Promise<void> {
    const process = this.#process
    if (process === null) return
    this.#process = null
    const { timeline, checker } = this.#world
    const callOff = timeline.after(DRAIN_MS + STOP_SLACK_MS, () =>
      checker.violations.push(`the ingester does not end ${DRAIN_MS + STOP_SLACK_MS} ms after SIGTERM`),
    )
    await process.pipeline.stop(DRAIN_MS)
    callOff()
    await this.#scrape(process.pipeline)
    process.isAlive = false
    for (const each of process.opened) each.destroy()
    this.#startLater()
  }

  /** Called after every step. */
  checkBounds(): void {
    const status = this.#process?.pipeline.source.status
    if (status === undefined) return
    const { config, broker } = this.#options
    const { checker } = this.#world
    // Bytes read at once when the high watermark was reached, and bytes that came with CONNACK before that.
    const extraBytes = 2 * MAX_CHUNK_BYTES
    checker.held(
      'messages',
      status.unsettledMessages,
      (config.IN_FLIGHT_MESSAGES ?? DEFAULT_IN_FLIGHT.ingest) + extraBytes / MIN_MESSAGE_BYTES,
    )
    checker.held('bytes', status.unsettledBytes, config.IN_FLIGHT_BYTES + broker.largestBytes + extraBytes)
  }

  #startLater(): void {
    this.#world.timeline.after(RESTART_MS, () => this.start())
  }

  async #scrape({ metrics }: Pipeline): Promise<void> {
    const [received, events, inFlight] = await Promise.all([
      metrics.eventsReceived.get(),
      metrics.events.get(),
      metrics.eventsInFlight.get(),
    ])
    const outcome = (name: string) =>
      events.values.find(({ labels }) => labels.outcome === name)?.value ?? Number.NaN
    this.#world.checker.counted({
      received: received.values[0]?.value ?? Number.NaN,
      stored: outcome('stored'),
      duplicate: outcome('duplicate'),
      rejected: outcome('rejected'),
      inFlight: inFlight.values[0]?.value ?? Number.NaN,
    })
  }

  #clock(isAlive: () => boolean): Clock {
    const { timeline } = this.#world
    const whileAlive = (act: () => void) => () => {
      if (isAlive()) act()
    }
    return {
      now: () => instantFromMs(EPOCH_MS + this.skewMs + timeline.nowMs),
      monotonicMs: () => timeline.nowMs,
      after: (ms, act) => timeline.after(ms, whileAlive(act)),
      every: (ms, act) => {
        let callOff = () => {}
        const next = () => {
          callOff = timeline.after(
            ms,
            whileAlive(() => {
              next()
              act()
            }),
          )
        }
        next()
        return () => callOff()
      },
    }
  }

  #log(): Log {
    const { tell } = this.#world
    if (tell === null) return SILENT
    return silentLog(({ level: _, time: __, stage: ___, msg, ...fields }) =>
      tell('ingester', `${msg} ${JSON.stringify(fields)}`),
    ).log
  }
}

const SILENT = createLog('silent')
