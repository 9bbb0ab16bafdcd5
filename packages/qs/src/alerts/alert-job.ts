import { JobLease } from '../database/job-lease.ts'
import { QueryPool } from '../database/query-pool.ts'
import { currentUrl, type DatabaseUrl } from '../endpoints/database-url.ts'
import { logged } from '../errors/reason-of.ts'
import type { CallOff, Clock } from '../pipeline/clock.ts'
import type { Log } from '../telemetry/log.ts'
import type { ServiceState } from './conditions.ts'
import { claimDue, type DueChannel, deliver } from './deliver.ts'
import { evaluateRule } from './evaluate.ts'
import { listFiring } from './read-alerts.ts'
import { listRules } from './rules.ts'
import type { OwnBroker } from './send/mqtt.ts'
import { senders } from './send/send.ts'

/** After the start the devices have to come back first. */
const FIRST_MS = 20_000
const LOOK_EVERY_MS = 2_000
const EVALUATE_EVERY_MS = 15_000
const FORGET_EVERY_MS = 3_600_000
/** Lines of the history, and with them what was sent. */
const FORGET = `delete from alert_history where at < $1::timestamptz - interval '90 days'`
const TIMEOUT_MS = 30_000

const BROKEN = 'select name, error from alert_channels where failing_since is not null order by name'

/** A channel that could not be told of something. */
export interface BrokenChannel {
  readonly name: string
  readonly error: string
}

export interface AlertJobOptions {
  readonly url: DatabaseUrl
  readonly clock: Clock
  readonly service: () => ServiceState
  /** For channels of kind mqtt without a url. */
  readonly broker: OwnBroker
  readonly log: Log
}

/**
 * Evaluates the rules every fifteen seconds and tells channels, on connections of its own: neither a slow query nor a slow
 * channel holds up an event, or another channel. One of several ingesters does it. Everything that must survive this process
 * is in the database.
 */
export class AlertJob {
  readonly #pool: QueryPool
  readonly #options: AlertJobOptions
  readonly #lease = new JobLease('alerts')
  readonly #stopping = new AbortController()
  readonly #sending = new Map<string, Promise<void>>()
  #broken: readonly BrokenChannel[] = []
  readonly #senders: ReturnType<typeof senders>
  #callOff: CallOff = () => {}
  #running: Promise<void> = Promise.resolve()
  #evaluateAtMs = -Infinity
  #forgetAtMs = -Infinity

  constructor(options: AlertJobOptions) {
    this.#options = options
    this.#pool = new QueryPool(options.url, { name: 'qs-alerts', connections: 2, timeoutMs: TIMEOUT_MS })
    this.#senders = senders(options.broker, async () => ({
      rules: (await listRules(this.#pool)).map(({ name }) => name),
      firing: await listFiring(this.#pool),
    }))
  }

  /** Channels whose latest message could not be sent. */
  get broken(): readonly BrokenChannel[] {
    return this.#broken
  }

  start(): void {
    this.#next(FIRST_MS)
  }

  /** Gives up messages on their way; they are sent again after the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#callOff()
    await this.#running
    await Promise.all(this.#sending.values())
    this.#lease.release()
    await this.#pool.end()
  }

  #next(ms: number): void {
    if (this.#stopping.signal.aborted) return
    this.#callOff = this.#options.clock.after(ms, () => {
      this.#running = this.#look().finally(() => this.#next(LOOK_EVERY_MS))
    })
  }

  /** Without the database nothing can be judged or told; other alarms of the service speak of that. */
  async #look(): Promise<void> {
    const { url, clock, log } = this.#options
    try {
      if (!(await this.#lease.hold(currentUrl(url)))) {
        this.#broken = []
        return
      }
      if (clock.monotonicMs() >= this.#evaluateAtMs) {
        this.#evaluateAtMs = clock.monotonicMs() + EVALUATE_EVERY_MS
        await this.#evaluate()
      }
      const busy = [...this.#sending.keys()]
      for (const channel of await claimDue(this.#pool, this.#now(), busy)) this.#send(channel)
    } catch (error) {
      if (!this.#stopping.signal.aborted) log.debug(logged(error), 'Alerts have to wait for the database')
    }
  }

  async #evaluate(): Promise<void> {
    const { clock, service, log } = this.#options
    const world = { now: this.#now(), service: service() }
    for (const rule of await listRules(this.#pool)) {
      if (this.#stopping.signal.aborted) return
      await evaluateRule(this.#pool, rule, world).catch((error) => {
        log.warn(
          { ...logged(error), rule: rule.name },
          'A rule of alerts could not be evaluated; the next try is in 15 seconds',
        )
      })
    }
    this.#broken = await this.#pool.query<BrokenChannel>(BROKEN)
    if (clock.monotonicMs() < this.#forgetAtMs) return
    this.#forgetAtMs = clock.monotonicMs() + FORGET_EVERY_MS
    await this.#pool.query(FORGET, [this.#now()])
  }

  #send(channel: DueChannel): void {
    const { log } = this.#options
    const { name } = channel
    const delivery = { senders: this.#senders, now: () => this.#now(), signal: this.#stopping.signal }
    const sent = deliver(this.#pool, channel, delivery)
      .then(
        ({ items, error }) => this.#note(channel, items, error),
        (error) => log.debug(logged(error), 'What was sent could not be noted, and is sent again'),
      )
      .finally(() => this.#sending.delete(name))
    this.#sending.set(name, sent)
  }

  #note({ name, attempts }: DueChannel, items: number, error: string | null): void {
    const { log } = this.#options
    if (this.#stopping.signal.aborted) return
    if (error === null)
      log.info(
        { channel: name, items },
        attempts > 0 ? 'The channel works again' : 'Told a channel of alerts',
      )
    else if (attempts === 0)
      log.warn(
        { channel: name, reason: error },
        'A channel could not be told of alerts; the next try is in seconds',
      )
  }

  #now(): Date {
    return new Date(this.#options.clock.now().epochMs)
  }
}
