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

/** The metrics that the cases use. */
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
  /** The peak of this process. */
  readonly peakMb: number
}

const SCRAPE_TIMEOUT_MS = 2_000

/** The ingester as operators run it, in its own process; may be restarted after it ends. */
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

  /** `qs up` with its embedded broker and database; not started yet. */
  static embedded(t: TestContext, env: Readonly<Record<string, string>>): IngesterProcess {
    return new IngesterProcess(t, 'up', env)
  }

  get isRunning(): boolean {
    return this.#qs !== null && isAlive(this.#qs)
  }

  /** Output of the last process. */
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
   * Loads the program for the next start, which takes most of a start's time: a second process with the same client
   * id waits at its lock, for up to six seconds, until the first is dead.
   */
  prepare(): void {
    this.#spare ??= this.#spawn()
  }

  /** Resolves when events become rows. */
  async ready(): Promise<void> {
    await untilReady(this.#process, this.httpPort)
  }

  /** Resolves when it has ended; at once for SIGSTOP and SIGCONT. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.killNow(signal)
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await this.exit()
  }

  /** For the end of a test. `qs up` must stop its PostgreSQL, which would otherwise keep running. */
  end(): Promise<void> {
    return this.kill(this.#command === 'up' ? 'SIGTERM' : 'SIGKILL')
  }

  /** Kills without an event-loop turn in between. */
  killNow(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#process.process.kill(signal)
  }

  /** Its exit code, or the signal that ended it. */
  exit(): Promise<number | NodeJS.Signals | null> {
    return this.#process.exit()
  }

  /** One scrape of /metrics; null if it does not answer. */
  async gauges(): Promise<Gauges | null> {
    return scrape(this.httpPort)
  }

  /** Memory of the process now; null if it has ended. */
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

  /** Resolves when nothing is in flight. */
  async idle(timeoutMs = 30_000): Promise<void> {
    const isIdle = async () => (await this.gauges())?.messagesInFlight === 0
    await until(isIdle, 'nothing is in flight in the ingester', timeoutMs)
  }

  #spawn(): Qs {
    // Away from any .env of this repository.
    return startQs(this.#t, [this.#command], { env: this.#env, cwd: '/' })
  }

  get #process(): Qs {
    if (this.#qs === null) throw new Error('The ingester was never started')
    return this.#qs
  }
}

/** One scrape of /metrics; null if it does not answer. */
export async function scrape(httpPort: number): Promise<Gauges | null> {
  const signal = AbortSignal.timeout(SCRAPE_TIMEOUT_MS)
  const text = await fetch(`http://127.0.0.1:${httpPort}/metrics`, { signal })
    .then((answer) => answer.text())
    .catch(() => null)
  return text === null ? null : readGauges(text)
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
