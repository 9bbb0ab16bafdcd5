import { readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { type Qs, startQs, untilReady } from '@qs-telemetry/testing/qs.ts'
import { until } from '@qs-telemetry/testing/until.ts'

export interface IngesterOptions {
  readonly mqttUrl: string
  readonly databaseUrl: string
  readonly settings?: Readonly<Record<string, string>>
}

/** What of its metrics the cases look at. */
export interface Gauges {
  readonly received: number
  readonly stored: number
  readonly duplicate: number
  readonly rejected: number
  readonly inFlight: number
  readonly messagesInFlight: number
  readonly bytesInFlight: number
  readonly retries: number
  readonly isConnected: boolean
}

export interface Memory {
  readonly residentMb: number
  /** The most there ever was, in this process. */
  readonly peakMb: number
}

const SCRAPE_TIMEOUT_MS = 2_000

/** The ingester as people run it, a process of its own; may be started again after its end. */
export class IngesterProcess {
  readonly #t: TestContext
  readonly #command: 'ingest' | 'up'
  readonly #env: Readonly<Record<string, string>>
  readonly httpPort: number
  #qs: Qs | null = null
  #spare: Qs | null = null

  private constructor(t: TestContext, command: 'ingest' | 'up', env: Readonly<Record<string, string>>) {
    this.#t = t
    this.#command = command
    this.#env = env
    this.httpPort = Number(env.HTTP_PORT)
  }

  /** Not started yet. */
  static async create(t: TestContext, options: IngesterOptions): Promise<IngesterProcess> {
    const { mqttUrl, databaseUrl, settings } = options
    const places = { MQTT_URL: mqttUrl, DATABASE_URL: databaseUrl, HTTP_PORT: String(await freePort()) }
    return new IngesterProcess(t, 'ingest', { ...places, LOG_LEVEL: 'warn', ...settings })
  }

  /** `qs up`, which has its broker and its database in it; not started yet. */
  static embedded(t: TestContext, env: Readonly<Record<string, string>>): IngesterProcess {
    return new IngesterProcess(t, 'up', env)
  }

  get isRunning(): boolean {
    return this.#qs !== null && isAlive(this.#qs)
  }

  /** What the last process wrote. */
  get log(): string {
    return `${this.#qs?.stdout() ?? ''}${this.#qs?.stderr() ?? ''}`
  }

  /** A new process, or the spare one. */
  start(): void {
    if (this.isRunning) throw new Error('The ingester runs already')
    this.#qs = this.#spare !== null && isAlive(this.#spare) ? this.#spare : this.#spawn()
    this.#spare = null
  }

  /**
   * Loads the program for the next start, which is most of the time that a start takes: a second one with the same
   * client id waits at its lock, for up to six seconds, until the first is dead.
   */
  prepare(): void {
    this.#spare ??= this.#spawn()
  }

  /** Settles when events become rows. */
  async ready(): Promise<void> {
    await untilReady(this.#process, this.httpPort)
  }

  /** Settles at its end; at once for SIGSTOP and SIGCONT. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.killNow(signal)
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await this.exit()
  }

  /** At the end of a test. `qs up` has to end its PostgreSQL, which would stay otherwise. */
  end(): Promise<void> {
    return this.kill(this.#command === 'up' ? 'SIGTERM' : 'SIGKILL')
  }

  /** Without a turn of the event loop in between. */
  killNow(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#process.process.kill(signal)
  }

  /** Its exit code, or the signal that ended it. */
  exit(): Promise<number | NodeJS.Signals | null> {
    return this.#process.exit()
  }

  /** One scrape of /metrics; null where it does not answer. */
  async gauges(): Promise<Gauges | null> {
    const signal = AbortSignal.timeout(SCRAPE_TIMEOUT_MS)
    const text = await fetch(`http://127.0.0.1:${this.httpPort}/metrics`, { signal })
      .then((answer) => answer.text())
      .catch(() => null)
    return text === null ? null : readGauges(text)
  }

  /** Of the process now; null where it has ended. */
  memory(): Memory | null {
    try {
      const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8')
      const mb = (name: string) =>
        (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6
      const memory = { residentMb: mb('VmRSS'), peakMb: mb('VmHWM') }
      return Number.isNaN(memory.peakMb) ? null : memory
    } catch {
      return null
    }
  }

  /** Settles when nothing that it took in is without its end. */
  async idle(timeoutMs = 30_000): Promise<void> {
    const isIdle = async () => (await this.gauges())?.messagesInFlight === 0
    await until(isIdle, 'nothing is in flight in the ingester', timeoutMs)
  }

  #spawn(): Qs {
    // Not where a .env of ours would reach it.
    return startQs(this.#t, [this.#command], { env: this.#env, cwd: '/' })
  }

  get #process(): Qs {
    if (this.#qs === null) throw new Error('The ingester was never started')
    return this.#qs
  }
}

function isAlive({ process }: Qs): boolean {
  return process.exitCode === null && process.signalCode === null
}

function readGauges(text: string): Gauges {
  const values = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [name, value] = line.split(' ')
    if (name?.startsWith('qs_') && value !== undefined) values.set(name, Number(value))
  }
  const get = (name: string) => values.get(name) ?? 0
  return {
    received: get('qs_events_received_total'),
    stored: get('qs_events_total{outcome="stored"}'),
    duplicate: get('qs_events_total{outcome="duplicate"}'),
    rejected: get('qs_events_total{outcome="rejected"}'),
    inFlight: get('qs_events_in_flight'),
    messagesInFlight: get('qs_messages_in_flight'),
    bytesInFlight: get('qs_bytes_in_flight'),
    retries: get('qs_batch_retries_total'),
    isConnected: get('qs_broker_connected') === 1,
  }
}
