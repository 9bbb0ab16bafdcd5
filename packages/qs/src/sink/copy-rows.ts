import type { Event } from '../pipeline/message.ts'
import type { CopyQuery } from './connection.ts'
import { EVENT_COLUMNS } from './insert-events.ts'

/** COPY of the events of a batch. */
export interface Copy extends CopyQuery {
  readonly rows: number
}

export const COPY_EVENTS = `copy events (${EVENT_COLUMNS}) from stdin`

const MIN_BYTES = 64 * 1024
/** Maximum bytes of UTF-8 per UTF-16 code unit. */
const MAX_BYTES_PER_UNIT = 3

/**
 * Rows of `events` in the text format of COPY (PostgreSQL manual, COPY), gathered as bytes: events are added one by one
 * and need not be kept.
 *
 * COPY is half the work of an INSERT, in PostgreSQL and here: nothing is parsed as JSON, and no id is looked up before
 * it is stored. In return, one row that cannot be stored fails them all, as does an id that exists already.
 */
export class CopyRows {
  #bytes = Buffer.allocUnsafe(MIN_BYTES)
  #ids: string[] = []
  /** Offset of each row, and of the end. */
  #bounds: number[] = [0]

  add(event: Event, tsServer: string): void {
    const text = rowText(event, tsServer)
    const start = this.#bounds.at(-1) as number
    this.#reserve(start, text.length * MAX_BYTES_PER_UNIT)
    this.#ids.push(event.eventId)
    this.#bounds.push(start + this.#bytes.write(text, start))
  }

  /**
   * Takes the gathered rows, sorted by event_id, so that two writers with the same ids wait and do not deadlock.
   *
   * @returns null if there are no rows, or if an id occurs twice and COPY would fail
   */
  take(): Copy | null {
    const order = this.#order()
    const data = order === null ? null : this.#inOrder(order)
    const rows = this.#ids.length
    this.clear()
    return data === null || rows === 0 ? null : { name: 'copy-events', text: COPY_EVENTS, data, rows }
  }

  clear(): void {
    this.#ids = []
    this.#bounds = [0]
  }

  /** The row numbers, sorted by id. */
  #order(): readonly number[] | null {
    const ids = this.#ids
    const order = ids.map((_, place) => place)
    order.sort((one, other) => compare(ids[one] as string, ids[other] as string))
    for (let at = 1; at < order.length; at++) {
      if (ids[order[at] as number] === ids[order[at - 1] as number]) return null
    }
    return order
  }

  /** Copies runs of adjacent rows together. */
  #inOrder(order: readonly number[]): Buffer {
    const bounds = this.#bounds
    const data = Buffer.allocUnsafe(bounds.at(-1) as number)
    let length = 0
    for (let at = 0; at < order.length; ) {
      const first = order[at] as number
      let next = first + 1
      for (at++; order[at] === next; at++) next++
      length += this.#bytes.copy(data, length, bounds[first], bounds[next])
    }
    return data
  }

  #reserve(length: number, more: number): void {
    if (length + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, length + more))
    this.#bytes.copy(larger, 0, 0, length)
    this.#bytes = larger
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function rowText(e: Event, tsServer: string): string {
  const value = e.valueNum === null ? NULL : Object.is(e.valueNum, -0) ? '-0' : e.valueNum
  return (
    `${escaped(e.eventId)}\t${escaped(e.deviceId)}\t${escaped(e.eventType)}\t${value}\t${field(e.valueText)}\t` +
    `${field(e.unit)}\t${e.ts}\t${e.tsDevice ?? NULL}\t${e.tsDeviceLocal ?? NULL}\t${field(e.tsDeviceRaw)}\t` +
    `${tsServer}\t${e.schema}\t${field(e.meta)}\t${e.valueExact ?? NULL}\n`
  )
}

const NULL = '\\N'

function field(text: string | null): string {
  return text === null ? NULL : escaped(text)
}

function escaped(text: string): string {
  return SPECIAL.test(text) ? text.replace(EACH_SPECIAL, (character) => ESCAPES[character] as string) : text
}

const SPECIAL = /[\\\t\n\r]/
const EACH_SPECIAL = /[\\\t\n\r]/g
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
