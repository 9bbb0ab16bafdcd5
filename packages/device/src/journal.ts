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
import { DeviceError } from './errors.ts'

/*
 * Events without device ack, in a file, so that a restart of the device loses none.
 *
 * One line each, appended: an event is its JSON object, a forgotten event is its id as a JSON string. A torn last line
 * is left by a crash and is dropped; its event was never confirmed to the caller. When more than half of the file is
 * waste, it is rewritten with the waiting events only, under another name, and then renamed.
 *
 * Written synchronously: when send() has returned, the event outlives the process. With `fsync` it outlives a power
 * cut once it is published (one fdatasync per round of publishing).
 */

export interface JournalOptions {
  /** For one device and one process. */
  readonly path: string
  /** Force events to the disk before they are published. Default false. */
  readonly fsync?: boolean
}

const SLACK_BYTES = 1024 * 1024

export class Journal {
  readonly #path: string
  readonly #fsync: boolean
  #fd: number | null = null
  #bytes = 0
  #dirty = false

  constructor({ path, fsync = false }: JournalOptions) {
    this.#path = path
    this.#fsync = fsync
  }

  /**
   * Opens or creates the file, and returns the JSON of every event in it without device ack, oldest first.
   *
   * @throws DeviceError `JOURNAL_UNREADABLE` if a line before the last is damaged: its content is unknown.
   */
  open(): readonly string[] {
    const waiting = existsSync(this.#path) ? readJournal(this.#path) : []
    this.rewrite(waiting)
    return waiting
  }

  keep(json: string): void {
    this.#append(`${json}\n`)
    this.#dirty = true
  }

  forget(eventIds: readonly string[]): void {
    if (eventIds.length > 0) this.#append(eventIds.map((id) => `${JSON.stringify(id)}\n`).join(''))
  }

  /** Whether a rewrite is worth its cost, given the bytes of the waiting events. */
  isWasteful(waitingBytes: number): boolean {
    return this.#bytes > 2 * waitingBytes + SLACK_BYTES
  }

  rewrite(waiting: Iterable<string>): void {
    const next = `${this.#path}.new`
    const fd = openSync(next, 'w', 0o600)
    const text = [...waiting].map((json) => `${json}\n`).join('')
    appendFileSync(fd, text)
    fsyncSync(fd)
    renameSync(next, this.#path)
    this.close()
    this.#fd = fd
    this.#bytes = Buffer.byteLength(text)
  }

  /** To be called before publishing; does nothing without `fsync` or without new events. */
  sync(): void {
    if (this.#fsync && this.#dirty && this.#fd !== null) fdatasyncSync(this.#fd)
    this.#dirty = false
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }

  #append(text: string): void {
    if (this.#fd === null) return
    appendFileSync(this.#fd, text)
    this.#bytes += Buffer.byteLength(text)
  }
}

function readJournal(path: string): readonly string[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  const waiting = new Map<string, string>()
  for (const [index, line] of lines.entries()) {
    // Every whole line ends with a line feed, so the last element is empty, or torn.
    if (index === lines.length - 1) break
    const id = readLine(line, `${path}:${index + 1}`)
    if (line.startsWith('"')) waiting.delete(id)
    else waiting.set(id, line)
  }
  return [...waiting.values()]
}

function readLine(line: string, where: string): string {
  try {
    const parsed: unknown = JSON.parse(line)
    const id =
      typeof parsed === 'object' && parsed !== null ? (parsed as { event_id?: unknown }).event_id : parsed
    if (typeof id === 'string') return id
  } catch (cause) {
    throw new DeviceError('JOURNAL_UNREADABLE', `${where} is damaged: repair or remove that line`, { cause })
  }
  throw new DeviceError('JOURNAL_UNREADABLE', `${where} is neither an event nor an event id`)
}
