import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { SETTINGS } from '../../packages/ingester/src/config/settings.ts'
import { type Mosquitto, startMosquitto } from '../../packages/ingester/test/support/mosquitto.ts'
import { until } from '../../packages/ingester/test/support/until.ts'
import { Checker, type Sent } from '../checker.ts'
import { Fleet, type FleetOptions } from './fleet.ts'
import { IngesterProcess } from './ingester.ts'
import { Postgres, type PostgresOptions } from './postgres.ts'
import { writeRow } from './row.ts'
import { Watch } from './watch.ts'
import { Witness } from './witness.ts'

export interface StageOptions {
  /** As it stands in the table. */
  readonly fault: string
  /** Of the first fleet. */
  readonly fleet?: FleetOptions
  /** Of the ingester, beside the places of broker and database. */
  readonly settings?: Readonly<Record<string, string>>
  readonly postgres?: PostgresOptions
  /** Lines on top of the shipped configuration of Mosquitto. */
  readonly broker?: readonly string[]
  /** What stands between the ingester and its broker or database; the fleet and the witness go straight there. */
  readonly wrapBroker?: (url: string, stage: Stage) => Promise<string> | string
  readonly wrapDatabase?: (url: string, stage: Stage) => Promise<string> | string
  /** Done to the database after its migration and before the first event. */
  readonly prepare?: (postgres: Postgres) => Promise<unknown>
  /** The ingester never has more resident; default 256. */
  readonly maxMemoryMb?: number
}

/** As one read of the socket may bring, on top of the high watermark. */
const READ_OVERSHOOT_MESSAGES = 2_000
const QUIET_MS = 60_000

/**
 * Real servers for one case: Mosquitto as shipped, a PostgreSQL of its own, the ingester as a process, devices that
 * send, and the witness, all of which tell one checker. Events flow when `openStage` settles; what the case does then
 * is the fault. `finish` is the verdict.
 */
export class Stage {
  readonly checker = new Checker()
  readonly broker: Mosquitto
  readonly postgres: Postgres
  readonly witness: Witness
  readonly #t: TestContext
  readonly #options: StageOptions
  readonly #fleets: Fleet[] = []
  readonly #ingesters: IngesterProcess[] = []
  readonly #watches: Watch[] = []
  #recoveryMs: number | null = null
  #hasRow = false
  /** Sent by others than the fleets. */
  #sentBeside = 0

  constructor(t: TestContext, servers: { broker: Mosquitto; postgres: Postgres }, options: StageOptions) {
    this.#t = t
    this.#options = options
    this.broker = servers.broker
    this.postgres = servers.postgres
    this.witness = new Witness(servers.postgres.superUrl, this.checker)
  }

  /** The first one. */
  get ingester(): IngesterProcess {
    return first(this.#ingesters, 'ingester')
  }

  /** The first one. */
  get fleet(): Fleet {
    return first(this.#fleets, 'fleet')
  }

  get watch(): Watch {
    return first(this.#watches, 'ingester')
  }

  get acked(): number {
    return this.#fleets.reduce((sum, fleet) => sum + fleet.acked, 0)
  }

  get sent(): number {
    return this.#fleets.reduce((sum, fleet) => sum + fleet.sent, 0)
  }

  /** Another ingester on the same servers, not started yet; give it a client id of its own, or do not. */
  async addIngester(settings: Readonly<Record<string, string>> = {}): Promise<IngesterProcess> {
    const { wrapBroker, wrapDatabase } = this.#options
    const all = { ...this.#options.settings, ...settings }
    const ingester = await IngesterProcess.create(this.#t, {
      mqttUrl: (await wrapBroker?.(this.broker.url, this)) ?? this.broker.url,
      databaseUrl: (await wrapDatabase?.(this.postgres.url, this)) ?? this.postgres.url,
      settings: all,
    })
    const watermark = Number(all.IN_FLIGHT_MESSAGES ?? SETTINGS.IN_FLIGHT_MESSAGES.default)
    this.#ingesters.push(ingester)
    this.#watches.push(
      new Watch(ingester, this.checker, { maxMessagesInFlight: watermark + READ_OVERSHOOT_MESSAGES }),
    )
    return ingester
  }

  /** More devices, not started yet. */
  addFleet(options: FleetOptions): Fleet {
    const { checker, witness, broker } = this
    const context = { url: broker.url, checker, onAck: witness.acked.bind(witness) }
    const fleet = new Fleet(context, options)
    this.#fleets.push(fleet)
    return fleet
  }

  /** Something that no fleet sends, and that the verdict has to find all the same. */
  sentBeside(item: Sent): void {
    this.checker.sent(item)
    this.#sentBeside++
  }

  /**
   * A fault is over: settles at the next device ack.
   *
   * @throws where none comes in time
   */
  async flowing(withinMs: number, after: string): Promise<number> {
    const [before, startMs] = [this.acked, performance.now()]
    await until(() => this.acked > before, `events flow again after ${after}`, withinMs)
    const tookMs = performance.now() - startMs
    this.#recoveryMs = Math.max(this.#recoveryMs ?? 0, tookMs)
    return tookMs
  }

  /** Settles when so many more events have their ack. */
  async more(events: number, timeoutMs = 60_000): Promise<void> {
    const goal = this.acked + events
    await until(() => this.acked >= goal, `${events} more events are acked`, timeoutMs)
  }

  /** Waits until all is quiet, asks the database for everything, and judges. The ingester has to run. */
  async finish({ quietMs = QUIET_MS }: { readonly quietMs?: number } = {}): Promise<void> {
    const { checker, witness } = this
    for (const fleet of this.#fleets) fleet.pause()
    try {
      for (const fleet of this.#fleets) await fleet.flush(quietMs)
      for (const each of this.#ingesters) if (each.isRunning) await each.idle()
      await witness.settled()
      for (const watch of this.#watches) await watch.look()
      await witness.readAll()
      checker.quiet()
    } finally {
      this.#writeRow()
    }
    const { maxMemoryMb = 256 } = this.#options
    const looks = this.#watches.reduce((sum, watch) => sum + watch.looks, 0)
    assert.deepEqual(checker.violations.slice(0, 10), [])
    assert.ok(looks > 0, 'the metrics were never seen')
    assert.equal(checker.tally.sent, this.sent + this.#sentBeside)
    assert.ok(this.#peakMemoryMb < maxMemoryMb, `${this.#peakMemoryMb} MB is above ${maxMemoryMb}`)
  }

  async close(): Promise<void> {
    for (const watch of this.#watches) watch.stop()
    if (!this.#hasRow) this.#tellHowFar()
    await Promise.all(this.#fleets.map((fleet) => fleet.close()))
    await this.witness.close()
    for (const each of this.#ingesters) if (each.isRunning) await each.kill('SIGKILL')
  }

  get #peakMemoryMb(): number {
    return Math.round(Math.max(0, ...this.#watches.map(({ peakMb }) => peakMb)))
  }

  /** The case failed before its verdict. */
  #tellHowFar(): void {
    this.#writeRow('it did not come to its end')
    for (const [n, { isRunning, log }] of this.#ingesters.entries()) {
      const last = JSON.stringify(this.#watches[n]?.last)
      this.#t.diagnostic(
        `ingester ${isRunning ? 'running' : 'ended'}, last seen with ${last}; the end of its log:\n${log.slice(-2_000)}`,
      )
    }
  }

  #writeRow(broken?: string): void {
    this.#hasRow = true
    const { violations, tally } = this.checker
    const seconds = (ms: number) => Math.round(ms / 100) / 10
    const row = {
      fault: this.#options.fault,
      sent: this.sent,
      acked: this.acked,
      stored: tally.stored,
      deadLetters: tally.deadLetters,
      lost: violations.filter((each) => each.startsWith('lost:')).length,
      doubled: violations.filter((each) => each.includes('stored twice')).length,
      outageSeconds: seconds(Math.max(0, ...this.#fleets.map(({ worstSilenceMs }) => worstSilenceMs))),
      recoverySeconds: this.#recoveryMs === null ? null : seconds(this.#recoveryMs),
      peakMemoryMb: this.#peakMemoryMb,
      broken: violations.length + Number(broken !== undefined),
      violations: [...(broken === undefined ? [] : [broken]), ...violations.slice(0, 10)],
    }
    writeRow(row)
    this.#t.diagnostic(JSON.stringify(row))
  }
}

/** The servers, the ingester ready, and the first fleet sending; all ended with the test. */
export async function openStage(t: TestContext, options: StageOptions): Promise<Stage> {
  let stage: Stage | null = null
  // Hooks run in the order in which they are registered: this one before those of the servers.
  t.after(() => stage?.close())
  const [broker, postgres] = await Promise.all([
    startMosquitto(t, { isShipped: true, config: options.broker ?? [] }),
    Postgres.open(t, options.postgres),
  ])
  stage = new Stage(t, { broker, postgres }, options)
  await stage.witness.open()
  await options.prepare?.(postgres)
  const ingester = await stage.addIngester()
  ingester.start()
  await ingester.ready()
  await stage.addFleet(options.fleet ?? {}).start()
  return stage
}

function first<T>(all: readonly T[], what: string): T {
  const [one] = all
  if (one === undefined) throw new Error(`The stage has no ${what} yet`)
  return one
}
