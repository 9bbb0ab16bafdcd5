import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { Checker, type Sent } from '../checker.ts'
import { Fleet, type FleetOptions } from './fleet.ts'
import type { IngesterProcess } from './ingester.ts'
import { writeRow } from './row.ts'
import { patience } from './scale.ts'
import { TrustingPublisher, type TrustingPublisherOptions } from './trusting-publisher.ts'
import { Watch } from './watch.ts'
import { Witness } from './witness.ts'

export interface SceneOptions {
  /** Its name in the table. */
  readonly fault: string
  /** Broker of the fleets. */
  readonly brokerUrl: string
  /** Superuser's database URL, for the witness. */
  readonly superUrl: string
  /** Bound of the ingester's resident memory. */
  readonly maxMemoryMb: number
  /** See `Checker`. */
  readonly mayBeVisibleLate?: boolean
}

/** What one read of the socket may add to the high watermark. */
const READ_OVERSHOOT_MESSAGES = 2_000
const QUIET_MS = 60_000

/**
 * Devices that send, watched ingesters, and the witness, all of which report to one checker. `finish` gives the
 * verdict and writes the line of the table. The subclass provides the servers.
 */
export abstract class Scene {
  readonly checker: Checker
  readonly witness: Witness
  readonly #t: TestContext
  readonly #options: SceneOptions
  readonly #fleets: Fleet[] = []
  readonly #publishers: TrustingPublisher[] = []
  readonly #ingesters: IngesterProcess[] = []
  readonly #watches: Watch[] = []
  #recoveryMs: number | null = null
  #hasRow = false
  /** Sent by clients outside the fleets. */
  #sentBeside = 0

  constructor(t: TestContext, options: SceneOptions) {
    this.#t = t
    this.#options = options
    this.checker = new Checker(options)
    this.witness = new Witness(options.superUrl, this.checker)
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

  /** Events with their device ack, or with the PUBACK that their device trusts. */
  get acked(): number {
    return sum(this.#fleets, ({ acked }) => acked) + sum(this.#publishers, ({ answered }) => answered)
  }

  get sent(): number {
    return sum(this.#fleets, ({ sent }) => sent) + sum(this.#publishers, ({ sent }) => sent)
  }

  /** Watches an ingester that is not started yet. @param watermark the most messages it may hold, but for one read */
  protected watchOver(ingester: IngesterProcess, watermark: number): void {
    this.#ingesters.push(ingester)
    this.#watches.push(
      new Watch(ingester, this.checker, { maxMessagesInFlight: watermark + READ_OVERSHOOT_MESSAGES }),
    )
  }

  /** More devices, not started yet. */
  addFleet(options: FleetOptions): Fleet {
    const { checker, witness } = this
    const context = { url: this.#options.brokerUrl, checker, onAck: witness.acked.bind(witness) }
    const fleet = new Fleet(context, options)
    this.#fleets.push(fleet)
    return fleet
  }

  /** A device that trusts the PUBACK; it sends at once. */
  addPublisher(options: Omit<TrustingPublisherOptions, 'port' | 'checker' | 'witness'>): TrustingPublisher {
    const { checker, witness } = this
    const port = Number(new URL(this.#options.brokerUrl).port)
    const publisher = new TrustingPublisher({ ...options, port, checker, witness })
    this.#publishers.push(publisher)
    return publisher
  }

  /** Registers an event that no fleet sends and that the verdict must find too. */
  sentBeside(item: Sent): void {
    this.checker.sent(item)
    this.#sentBeside++
  }

  /**
   * Call when a fault is over: resolves at the next device ack.
   *
   * @throws if none comes in time
   */
  async flowing(withinMs: number, after: string): Promise<number> {
    const [before, startMs] = [this.acked, performance.now()]
    await until(() => this.acked > before, `events flow again after ${after}`, patience(withinMs))
    const tookMs = performance.now() - startMs
    this.#recoveryMs = Math.max(this.#recoveryMs ?? 0, tookMs)
    return tookMs
  }

  /** Resolves when this many more events are acked. */
  async more(events: number, timeoutMs = 60_000): Promise<void> {
    const goal = this.acked + events
    await until(() => this.acked >= goal, `${events} more events are acked`, timeoutMs)
  }

  /** Waits until all is quiet, reads the whole database and gives the verdict. The ingester must be running. */
  async finish({ quietMs = QUIET_MS }: { readonly quietMs?: number } = {}): Promise<void> {
    const { checker, witness } = this
    for (const each of [...this.#fleets, ...this.#publishers]) each.pause()
    try {
      for (const fleet of this.#fleets) await fleet.flush(quietMs)
      const areAnswered = () => this.#publishers.every(({ waiting }) => waiting === 0)
      await until(areAnswered, 'every message has its PUBACK', quietMs)
      for (const each of this.#ingesters) if (each.isRunning) await each.idle()
      await witness.settled()
      for (const watch of this.#watches) await watch.look()
      await witness.readAll()
      checker.quiet()
    } finally {
      this.#writeRow()
    }
    const { maxMemoryMb } = this.#options
    const looks = sum(this.#watches, (watch) => watch.looks)
    assert.deepEqual(checker.violations.slice(0, 10), [])
    assert.ok(looks > 0, 'the metrics were never seen')
    assert.equal(checker.tally.sent, this.sent + this.#sentBeside)
    assert.ok(this.#peakMemoryMb < maxMemoryMb, `${this.#peakMemoryMb} MB is above ${maxMemoryMb}`)
  }

  async close(): Promise<void> {
    for (const watch of this.#watches) watch.stop()
    if (!this.#hasRow) this.#tellHowFar()
    await Promise.all(this.#fleets.map((fleet) => fleet.close()))
    for (const publisher of this.#publishers) publisher.close()
    await this.witness.close()
    for (const each of this.#ingesters) if (each.isRunning) await each.end()
  }

  get #peakMemoryMb(): number {
    return Math.round(Math.max(0, ...this.#watches.map(({ peakMb }) => peakMb)))
  }

  /** The case failed before its verdict. */
  #tellHowFar(): void {
    this.#writeRow('the case did not finish')
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

function sum<T>(all: readonly T[], count: (each: T) => number): number {
  return all.reduce((so, each) => so + count(each), 0)
}

function first<T>(all: readonly T[], what: string): T {
  const [one] = all
  if (one === undefined) throw new Error(`The stage has no ${what} yet`)
  return one
}
