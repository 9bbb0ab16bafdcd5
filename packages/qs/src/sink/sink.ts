import { formatInstant } from '@qs-telemetry/protocol'
import type { CallOff, Clock } from '../pipeline/clock.ts'
import type { Delivery } from '../pipeline/delivery.ts'
import { DEVICE_INTERVAL_MS } from '../pipeline/device-interval.ts'
import type { BatchResult, Message } from '../pipeline/message.ts'
import { CopyProspects } from './copy-prospects.ts'
import { CopyRows } from './copy-rows.ts'
import { type Batch, gather, NO_MESSAGES } from './gather.ts'
import { ArrivalTimes } from './ingest-stops.ts'
import { KnownTypes } from './known-types.ts'
import { SeenDevices } from './seen-devices.ts'
import type { ChangesByDevice } from './series-changes.ts'
import { SeriesPace } from './series-pace.ts'
import { SetUp } from './set-up.ts'
import type { DeviceSeen } from './upsert-devices.ts'
import { Writer, type WriterOptions } from './writer.ts'

export interface SinkOptions extends Omit<WriterOptions, 'prospects' | 'setUp' | 'arrivals' | 'types'> {
  readonly writers: number
  /** Maximum event types per device; no limit if absent. */
  readonly eventTypes?: number
}

/** How often to check whether a fold is due. */
const FOLD_LOOK_MS = 1_000

/** PostgreSQL output: a number of concurrent writers, which share what is known of devices and event types. */
export class Sink {
  readonly #idle: Writer[]
  readonly #waiting: ((writer: Writer) => void)[] = []
  readonly #writers: readonly Writer[]
  readonly #devices = new SeenDevices()
  readonly #pace = new SeriesPace()
  readonly #prospects = new CopyProspects()
  readonly #setUp = new SetUp()
  readonly #arrivals = new ArrivalTimes()
  readonly #rows = new CopyRows()
  readonly #clock: Clock
  readonly #types: KnownTypes | undefined
  /** Whether a fold of this ingester has succeeded. */
  #hasRecovered = false
  /** Ends with the latest batch that may add an event type. */
  #turn: Promise<unknown> = Promise.resolve()
  #callOffs: readonly CallOff[] = []

  constructor({ writers, eventTypes, ...options }: SinkOptions) {
    this.#types = eventTypes === undefined ? undefined : new KnownTypes(eventTypes)
    this.#writers = Array.from(
      { length: writers },
      (_, n) =>
        new Writer({
          ...options,
          name: `${options.name}/${n + 1}`,
          prospects: this.#prospects,
          setUp: this.#setUp,
          arrivals: this.#arrivals,
          types: this.#types,
          onRenewed: () => this.#doubtAllBut(n),
        }),
    )
    this.#idle = [...this.#writers]
    this.#clock = options.clock
  }

  /** What PostgreSQL refuses now, and what to do about it; null if nothing. */
  get refusal(): string | null {
    return this.#setUp.problem
  }

  /**
   * Also writes due rows without a batch, so that a silent device gets its last_seen; with a fold if one is due. The
   * first fold begins at once, since no batch writes the row of a device before it has ended.
   */
  start(): void {
    this.#foldIfDue()
    this.#callOffs = [
      this.#clock.every(DEVICE_INTERVAL_MS, () => this.#writeDue().catch(() => {})),
      this.#clock.every(FOLD_LOOK_MS, () => this.#foldIfDue()),
    ]
  }

  /** Makes a batch of the first deliveries: each is decoded after the previous one was converted to bytes. */
  gather(deliveries: readonly Delivery[], decode: (delivery: Delivery) => Message): Batch {
    const rows = this.#prospects.areGood(deliveries) ? this.#rows : null
    const batch = gather(decoded(deliveries, decode), rows, formatInstant(this.#clock.now()))
    // An id occurs twice: devices that send again do so in more than one batch.
    if (rows !== null && batch.copy === null && batch.earliestTs !== null) this.#prospects.failed()
    return batch
  }

  /**
   * Commits a batch, however long it takes. More than `writers` concurrent batches wait for a free writer.
   *
   * @throws the error of PostgreSQL, if retrying does not help
   */
  async write(batch: Batch): Promise<BatchResult> {
    const nowMs = this.#clock.monotonicMs()
    const series = this.#pace.choose(countSeries(batch.changes), nowMs)
    // The row of a device summarizes its series, so it waits for a fold if changes of series are not merged yet.
    const isRight = series === 'write' && this.#pace.isMerged
    if (isRight) this.#see(batch)
    const devices = isRight ? this.#devices.takeDue(nowMs) : []
    const write = () => this.#with((writer) => writer.write(batch, devices, series))
    const result = await (this.#mayBringTypes(batch) ? this.#inTurn(write) : write())
    // After COMMIT: a fold that began before would write the row without the change.
    if (!isRight) this.#see(batch)
    if (series === 'defer') this.#pace.deferred()
    return result
  }

  #see({ messages }: Batch): void {
    for (const { deviceId, hasEvents, tsServer } of messages)
      if (deviceId !== null && hasEvents) this.#devices.see(deviceId, tsServer)
  }

  /** A device at its limit adds no type. */
  #mayBringTypes({ changes }: Batch): boolean {
    const types = this.#types
    if (types === undefined) return false
    return [...types.strangers(changes).keys()].some((deviceId) => !types.isFull(deviceId))
  }

  /** One after the other, so that each batch counts the types added by the previous one. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }

  /** For devices whose rows are about to be removed; none of their events may be in flight. */
  forgetDevices(isGone: (deviceId: string) => boolean): void {
    this.#devices.forget(isGone)
    this.#types?.forgetAll()
  }

  /** Writes all pending changes of devices and series. Called after all batches have ended. */
  async drain(): Promise<void> {
    this.#callOffAll()
    const devices = this.#devices.takeAll(this.#clock.monotonicMs())
    if (this.#pace.isMerged) await this.#writeDevices(devices)
    else await this.#fold(devices)
  }

  /** Devices that were first seen during the fold get their rows right after it. */
  #foldIfDue(): void {
    const nowMs = this.#clock.monotonicMs()
    if (!this.#pace.isFoldDue(nowMs)) return
    this.#fold(this.#devices.takeDue(nowMs))
      .then(() => this.#writeDue())
      .catch(() => {})
  }

  async #writeDue(): Promise<void> {
    if (this.#pace.isMerged) await this.#writeDevices(this.#devices.takeDue(this.#clock.monotonicMs()))
  }

  async #writeDevices(devices: readonly DeviceSeen[]): Promise<void> {
    if (devices.length > 0) await this.#with((writer) => writer.write(NO_MESSAGES, devices))
  }

  /** Merges deferred changes in a separate transaction, and writes the device rows that summarize them. */
  async #fold(devices: readonly DeviceSeen[]): Promise<void> {
    this.#pace.foldBegins()
    await this.#with(async (writer) => {
      const startMs = this.#clock.monotonicMs()
      try {
        await writer.write(NO_MESSAGES, devices, this.#hasRecovered ? 'fold' : 'recover')
        this.#hasRecovered = true
      } catch (error) {
        this.#pace.deferred()
        throw error
      } finally {
        this.#pace.foldEnded(startMs, this.#clock.monotonicMs())
      }
    })
  }

  #doubtAllBut(renewed: number): void {
    for (const [n, writer] of this.#writers.entries()) if (n !== renewed) writer.doubt()
  }

  stop(): void {
    this.#callOffAll()
    for (const writer of this.#writers) writer.stop()
  }

  #callOffAll(): void {
    for (const callOff of this.#callOffs) callOff()
  }

  async #with<T>(work: (writer: Writer) => Promise<T>): Promise<T> {
    const writer = this.#idle.pop() ?? (await new Promise<Writer>((resolve) => this.#waiting.push(resolve)))
    try {
      return await work(writer)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#idle.push(writer)
      else next(writer)
    }
  }
}

function countSeries(changes: ChangesByDevice): number {
  let series = 0
  for (const types of changes.values()) series += types.size
  return series
}

function* decoded(
  deliveries: readonly Delivery[],
  decode: (delivery: Delivery) => Message,
): Generator<Message> {
  for (const delivery of deliveries) yield decode(delivery)
}
