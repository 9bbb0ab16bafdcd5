import { instantFromMs } from '@qs-telemetry/protocol'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { createPipeline, type Pipeline } from '../../packages/qs/src/app/pipeline.ts'
import { DEFAULT_IN_FLIGHT } from '../../packages/qs/src/config/default-in-flight.ts'
import type { Config } from '../../packages/qs/src/config/settings.ts'
import type { Clock } from '../../packages/qs/src/pipeline/clock.ts'
import { createLog, type Log } from '../../packages/qs/src/telemetry/log.ts'
import type { Database } from './database.ts'
import type { Entrance, Front } from './front.ts'
import type { World } from './world.ts'

/** 2026-11-25T00:00:00Z, the start of every simulation. */
export const EPOCH_MS = 1_795_564_800_000
const DRAIN_MS = 5_000
/** Time allowed after the drain: one second for DISCONNECT, and the network. */
const STOP_SLACK_MS = 3_000
const RESTART_MS = 500

export interface IngesterOptions {
  readonly config: Config
  readonly front: Front
  readonly database: Database
}

interface Process {
  readonly pipeline: Pipeline
  readonly entrance: Entrance
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
    const { config, front, database } = this.#options
    const { timeline, random } = this.#world
    const clock = this.#clock(() => process.isAlive)
    const opened = new Set<{ destroy(): void }>()
    const entrance = front.begin({ config, clock, opened })
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
      edges: { openSocket: entrance.openSocket, connect, clock, random: () => random.next() },
      ...(entrance.openIntake && { openIntake: entrance.openIntake }),
    })
    const process: Process = { pipeline, entrance, isAlive: true, opened }
    this.#process = process
    void pipeline.start().then(entrance.open)
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
    process.entrance.shut()
    await process.pipeline.stop(DRAIN_MS)
    process.entrance.stop()
    callOff()
    await this.#scrape(process.pipeline)
    process.isAlive = false
    for (const each of process.opened) each.destroy()
    this.#startLater()
  }

  /** Called after every step. */
  checkBounds(): void {
    if (this.#process === null) return
    const { pipeline, entrance } = this.#process
    const { unsettledMessages, unsettledBytes } = pipeline.source.status
    const { IN_FLIGHT_MESSAGES, IN_FLIGHT_BYTES: bytes } = this.#options.config
    const messages = IN_FLIGHT_MESSAGES ?? DEFAULT_IN_FLIGHT.ingest
    const { checker } = this.#world
    const extra = entrance.bound()
    checker.held('messages', unsettledMessages, messages + extra.messages)
    checker.held('bytes', unsettledBytes, bytes + extra.bytes)
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
