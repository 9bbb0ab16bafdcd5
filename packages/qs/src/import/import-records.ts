import type { Instant } from '@qs-telemetry/protocol'
import type { DecodeOptions } from '../decode/decode-options.ts'
import { QsError } from '../errors/qs-error.ts'
import type { Clock } from '../pipeline/clock.ts'
import type { Event } from '../pipeline/message.ts'
import { type Checkpoint, NOTHING_DONE, type Progress } from './checkpoint.ts'
import type { EventStore } from './event-store.ts'
import type { Mapped } from './map-record.ts'
import type { Rejects } from './rejects.ts'
import { type LineFault, rawBytes, type SourceRecord } from './source-record.ts'
import { toEvent } from './to-event.ts'

export interface ImportOptions {
  readonly map: (record: SourceRecord) => readonly Mapped[]
  readonly decode: DecodeOptions
  readonly clock: Clock
  /** null: a dry run. */
  readonly store: EventStore | null
  readonly checkpoint: Checkpoint
  readonly done: Progress
  readonly rejects: Rejects | null
  /** The header of a CSV, once it was read. */
  readonly header: () => Buffer | null
  readonly signal: AbortSignal
  /** Called for each event of a dry run. */
  readonly onEvent: (event: Event) => void
  readonly onBadLine: (line: number, fault: LineFault) => void
  /** Called after each commit. */
  readonly onProgress: (progress: Progress) => void
}

/** Events that go to the store together. */
const PORTION = 5_000
/** Where every line up to here is bad, the rest is too. */
const HOPELESS = 1_000

interface Portion {
  readonly receivedAt: Instant
  readonly events: Event[]
  /** The record of each event. */
  readonly of: SourceRecord[]
  readonly bad: { readonly record: SourceRecord; readonly fault: LineFault }[]
  records: number
}

/**
 * Imports records in order. While PostgreSQL stores one portion, the next is read.
 *
 * @throws QsError if no line is an event, or IMPORT_STOPPED
 */
export async function importRecords(
  records: AsyncIterable<readonly SourceRecord[]>,
  options: ImportOptions,
): Promise<Progress> {
  const { map, decode, clock, store, done, signal } = options
  const newPortion = (): Portion => ({ receivedAt: clock.now(), events: [], of: [], bad: [], records: 0 })
  const accounts = new Accounts(options)
  let [portion, skip] = [newPortion(), done.records]
  let storing: Promise<void> = Promise.resolve()
  const flush = async () => {
    const full = portion
    portion = newPortion()
    await storing
    storing = accounts.settle(full)
    // It is awaited later; until then it must not count as unhandled.
    storing.catch(() => {})
  }
  const grace = () => setTimeout(() => store?.stop(), GRACE_MS).unref()
  signal.addEventListener('abort', grace, { once: true })
  const readAll = async () => {
    for await (const some of records) {
      for (const record of some) {
        if (signal.aborted) return
        if (skip > 0) {
          skip--
          continue
        }
        take(portion, record)
        if (portion.events.length >= PORTION || portion.bad.length >= HOPELESS) await flush()
      }
    }
    await flush()
  }
  const take = ({ receivedAt, events, of, bad }: Portion, record: SourceRecord) => {
    portion.records++
    if (record.fault !== null) {
      bad.push({ record, fault: record.fault })
      return
    }
    for (const mapped of map(record)) {
      const event = toEvent(mapped, decode, receivedAt)
      if ('eventId' in event) {
        events.push(event)
        of.push(record)
      } else bad.push({ record, fault: event })
    }
  }
  try {
    await readAll()
    await storing
    await store?.finish()
  } catch (error) {
    // A store or an input that was stopped fails.
    if (!signal.aborted) throw error
  }
  if (signal.aborted) throw new QsError('IMPORT_STOPPED', accounts.stoppedText())
  return accounts.progress
}

/** A commit under way may take so long after the signal to stop. */
const GRACE_MS = 5_000

/** What is done, in the order of the input. */
class Accounts {
  readonly #options: ImportOptions
  progress: Progress

  constructor(options: ImportOptions) {
    this.#options = options
    this.progress = options.done
  }

  async settle({ receivedAt, events, of, bad, records }: Portion): Promise<void> {
    const { store, checkpoint, rejects, header, onBadLine, onEvent, onProgress } = this.#options
    const faults = [...bad]
    let [stored, duplicate] = [0, 0]
    if (store === null) {
      stored = events.length
      events.forEach(onEvent)
    } else if (events.length > 0) {
      for (const [place, outcome] of (await store.store(events, receivedAt)).entries()) {
        if (outcome.kind === 'stored') stored++
        else if (outcome.kind === 'duplicate') duplicate++
        else faults.push({ record: of[place] as SourceRecord, fault: outcome })
      }
    }
    faults.sort((one, other) => one.record.line - other.record.line)
    let badLines = 0
    let last = 0
    for (const { record, fault } of faults) {
      // The fields of one line can be bad each, and the line is to be corrected once.
      if (record.line === last) continue
      last = record.line
      badLines++
      onBadLine(record.line, fault)
      rejects?.add(record.line, rawBytes(record.raw), fault, header())
    }
    const { progress } = this
    this.progress = {
      records: progress.records + records,
      stored: progress.stored + stored,
      duplicate: progress.duplicate + duplicate,
      bad: progress.bad + badLines,
      ...(rejects?.lengths ?? NO_REJECTS),
    }
    onProgress(this.progress)
    if (store !== null) checkpoint.write(this.progress)
    const [first] = faults
    if (this.progress.bad >= HOPELESS && this.progress.bad === this.progress.records && first !== undefined)
      throw new QsError(
        'IMPORT_UNREADABLE',
        `None of the first ${this.progress.records} lines is an event; line ${first.record.line}: ${first.fault.message}`,
      )
  }

  stoppedText(): string {
    const { records, stored, duplicate } = this.progress
    return `Stopped after ${records} lines: ${stored} events stored, ${duplicate} stored before`
  }
}

const { rejectsBytes, reasonsBytes } = NOTHING_DONE
const NO_REJECTS = { rejectsBytes, reasonsBytes }
