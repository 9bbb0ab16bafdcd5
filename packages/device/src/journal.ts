import {
  appendFileSync,
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { bootId } from './event-id.ts'
import { type JournalHead, type JournalLine, lineOf, readJournal } from './journal-lines.ts'

/*
 * Events without device ack, in a file, so that a restart of the device loses none: appended lines (journal-lines.ts).
 *
 * Each event has a number. What is lost is not written down but follows from what is: a number that was given out, was
 * never forgotten and is not in the file is lost. A line that is damaged, by a crash or a disk, costs only itself. When
 * more than half of the file is waste, it is rewritten with the waiting events only, under another name, and then renamed.
 *
 * Written synchronously: when send() has returned, the event outlives the process. With `fsync` it outlives a power
 * cut as well, from the end of the turn of the event loop, and before it is published (one fdatasync for all of a turn).
 */

export interface JournalOptions {
  /** For one device and one process. */
  readonly path: string
  /** Force events to the disk. Default false: a power cut loses the last seconds, and they do not count as lost. */
  readonly fsync?: boolean
}

export interface JournalEvent {
  readonly eventId: string
  readonly json: string
}

const SLACK_BYTES = 1024 * 1024

export class Journal {
  readonly #path: string
  readonly #fsync: boolean
  readonly #numbers = new Map<string, number>()
  #head: JournalHead = { epoch: bootId(), next: 0, settled: 0, mark: 0 }
  #fd: number | null = null
  #bytes = 0
  #isDirty = false
  /** A write failed, perhaps in the middle of a line. */
  #isTorn = false

  constructor({ path, fsync = false }: JournalOptions) {
    this.#path = path
    this.#fsync = fsync
  }

  /**
   * Opens or creates the file, and returns the JSON of every event in it without device ack, oldest first.
   *
   * @throws DeviceError `JOURNAL_UNREADABLE` if a version before 0.3 wrote it, and a line before the last is damaged
   */
  open(): readonly string[] {
    const text = existsSync(this.#path) ? readFileSync(this.#path, 'utf8') : ''
    const { head, waiting } = readJournal(text, this.#path)
    // Without fsync the file may be older than what was sent, so its numbers could be given out again.
    this.#head = { ...head, epoch: (this.#fsync ? head.epoch : null) ?? bootId() }
    for (const { eventId, number } of waiting) this.#numbers.set(eventId, number)
    this.rewrite(waiting)
    return waiting.map(({ json }) => json)
  }

  /** Part of the ids of events: with the number, it is never used twice. */
  get epoch(): string {
    return this.#head.epoch ?? ''
  }

  /** The number of the next event. */
  get next(): number {
    return this.#head.next
  }

  /** Events that were kept, were not forgotten, and are no longer in the file. */
  get lost(): number {
    return this.#head.next - this.#head.settled - this.#numbers.size
  }

  /** How many lost events were reported. */
  get mark(): number {
    return this.#head.mark
  }

  setMark(mark: number): void {
    this.#head = { ...this.#head, mark }
    this.#append({ mark })
  }

  keep({ eventId, json }: JournalEvent): void {
    const number = this.#head.next
    this.#head = { ...this.#head, next: number + 1 }
    this.#append({ number, json })
    this.#numbers.set(eventId, number)
    this.#isDirty = true
  }

  forget(eventIds: readonly string[]): void {
    const known = eventIds.filter((id) => this.#numbers.delete(id))
    if (known.length === 0) return
    this.#head = { ...this.#head, settled: this.#head.settled + known.length }
    this.#append({ forgotten: known, next: this.#head.next })
  }

  /** Whether a rewrite is worth its cost, given the bytes of the waiting events. */
  isWasteful(waitingBytes: number): boolean {
    return this.#bytes > 2 * waitingBytes + SLACK_BYTES
  }

  rewrite(waiting: Iterable<JournalEvent>): void {
    const next = `${this.#path}.new`
    const fd = openSync(next, 'w', 0o600)
    const head = { ...this.#head, epoch: this.#fsync ? this.#head.epoch : null }
    const events = [...waiting].map(({ eventId, json }) =>
      lineOf({ number: this.#numbers.get(eventId) ?? 0, json }),
    )
    const text = lineOf({ head }) + events.join('')
    appendFileSync(fd, text)
    fsyncSync(fd)
    renameSync(next, this.#path)
    syncFolder(this.#path)
    this.close()
    this.#fd = fd
    this.#bytes = Buffer.byteLength(text)
    this.#isTorn = this.#isDirty = false
  }

  /** To be called before publishing; does nothing without `fsync` or without new events. */
  sync(): void {
    if (this.#fsync && this.#isDirty && this.#fd !== null) fdatasyncSync(this.#fd)
    this.#isDirty = false
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }

  #append(line: JournalLine): void {
    if (this.#fd === null) return
    // A line feed ends what a failed write left, so that it costs no other line.
    const text = (this.#isTorn ? '\n' : '') + lineOf(line)
    this.#isTorn = true
    appendFileSync(this.#fd, text)
    this.#isTorn = false
    this.#bytes += Buffer.byteLength(text)
  }
}

/** Without this a power cut can bring back the file from before a rename. Windows has no such call. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
