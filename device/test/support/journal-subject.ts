import { readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Journal } from '../../../packages/device/src/journal.ts'
import { randomOf } from './contract.ts'

/**
 * The journal of the device client as a subject of contract.test.ts, on real files. Where the power is cut, the file
 * becomes what a disk may have then: everything up to the last fdatasync, and of what was written since a part, perhaps
 * with noise in place of the rest.
 */
export class JournalSubject {
  readonly #path: string
  #random = randomOf(0)
  #journal: Journal | null = null
  #left = -1
  /** Bytes that the disk has for certain. */
  #synced = 0
  #waiting: { readonly number: number; readonly content: string }[] = []
  #sent: number[] = []
  #at = 0

  constructor(folder: string) {
    this.#path = join(folder, 'journal.jsonl')
  }

  take(command: string): string {
    const [name, ...args] = command.split(' ')
    if (name === 'new') {
      this.#random = randomOf(Number(args[0]))
      writeFileSync(this.#path, '')
      return 'new'
    }
    if (name === 'power') {
      this.#cut()
      this.#left = Number(args[0])
      return 'power'
    }
    if (name === 'boot') return this.#boot()
    const journal = this.#journal
    if (journal === null) return 'off'
    if (name === 'record') return this.#record(journal, args[0] ?? '')
    if (name === 'send') return this.#send()
    if (name === 'answer') return this.#answer(journal, Number(args[0]), Number(args[1]))
    if (name === 'again') this.#at = 0
    if (name === 'drain') return this.#drain(journal)
    return name ?? ''
  }

  /** Whether there was power to write the rest of the file. */
  #pays(): boolean {
    const cost = readFileSync(this.#path).length - this.#synced
    if (this.#left < 0 || cost <= this.#left) return true
    this.#cut()
    return false
  }

  #cut(): void {
    if (this.#journal === null) return
    this.#journal.close()
    this.#journal = null
    const bytes = readFileSync(this.#path)
    const kept = this.#synced + this.#random(bytes.length - this.#synced + 1)
    if (this.#random(2) === 0) truncateSync(this.#path, kept)
    else
      writeFileSync(
        this.#path,
        bytes.map((byte, at) => (at < kept ? byte : (byte + this.#random(256)) % 256)),
      )
  }

  #boot(): string {
    const before = readFileSync(this.#path)
    const journal = new Journal({ path: this.#path, fsync: true })
    const events = journal.open().map((json) => JSON.parse(json) as { event_id: string; value: string })
    this.#synced = readFileSync(this.#path).length
    if (this.#left >= 0 && this.#random(20) === 0) {
      // Cut before the rename: the old file, and a part of the new one.
      journal.close()
      renameSync(this.#path, `${this.#path}.new`)
      truncateSync(`${this.#path}.new`, this.#random(this.#synced))
      writeFileSync(this.#path, before)
      return 'off'
    }
    this.#journal = journal
    this.#waiting = events.map(({ event_id: id, value }) => ({ number: Number(id), content: value }))
    this.#sent = []
    this.#at = 0
    return `boot ${journal.epoch} ${journal.next}`
  }

  #record(journal: Journal, content: string): string {
    const number = journal.next
    const eventId = String(number)
    journal.keep({ eventId, json: JSON.stringify({ event_id: eventId, value: content }) })
    if (!this.#pays()) return `off ${number} ${number}`
    journal.sync()
    if (this.#left >= 0) this.#left -= readFileSync(this.#path).length - this.#synced
    this.#synced = readFileSync(this.#path).length
    this.#waiting.push({ number, content })
    return `kept ${number} ${number}`
  }

  #send(): string {
    const event = this.#waiting[this.#at]
    if (event === undefined) return 'nothing'
    this.#at++
    this.#sent.push(event.number)
    return `sent ${event.number} ${event.content}`
  }

  #answer(journal: Journal, from: number, count: number): string {
    const start = from % Math.max(1, this.#sent.length)
    const run = this.#sent.slice(start, start + count)
    const length = run.findIndex((number, index) => number !== (run[0] ?? 0) + index)
    const numbers = length < 0 ? run : run.slice(0, length)
    const [first] = numbers
    if (first === undefined) return 'none'
    this.#sent.splice(start, numbers.length)
    journal.forget(numbers.map(String))
    const gone = new Set(numbers)
    this.#at -= this.#waiting.slice(0, this.#at).filter(({ number }) => gone.has(number)).length
    this.#waiting = this.#waiting.filter(({ number }) => !gone.has(number))
    if (!this.#pays()) return 'off'
    // On the disk with the next event at the latest.
    return `settled ${first} ${numbers.length} unsaved`
  }

  #drain(journal: Journal): string {
    const events = this.#waiting.map(({ number, content }) => `${number}:${content}`)
    journal.forget(this.#waiting.map(({ number }) => String(number)))
    return ['drained', ...events, journal.next, journal.lost].join(' ')
  }
}
