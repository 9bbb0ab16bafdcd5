import type { DeadLetterCode } from '@qs-telemetry/protocol'

/** A message in the window. */
export interface Slot {
  readonly packetId: number
  readonly qos: 1 | 2
  readonly isSettled: boolean
  /** Why nothing of the message was stored; null: success. */
  readonly refusal: DeadLetterCode | null
}

const COMPACT_AT = 1024

/**
 * The unanswered messages of one connection. PUBACKs and PUBRECs leave in the order in which the messages arrived
 * [MQTT-4.6.0-2], [MQTT-4.6.0-3], in whatever order they are settled: two writers commit independently.
 *
 * A window closes with its connection, so an answer never leaves on another one.
 */
export class AnswerWindow {
  readonly #answer: (slot: Slot) => void
  /** Before the head they are answered, and no longer kept: their payloads are not counted any more. */
  readonly #slots: (Slot | undefined)[] = []
  #head = 0
  #isClosed = false

  constructor(answer: (slot: Slot) => void) {
    this.#answer = answer
  }

  /** Messages without an answer. */
  get size(): number {
    return this.#slots.length - this.#head
  }

  add(slot: Slot): void {
    this.#slots.push(slot)
  }

  /** The unanswered message with this packet identifier. */
  find(packetId: number): Slot | undefined {
    for (let at = this.#head; at < this.#slots.length; at++)
      if (this.#slots[at]?.packetId === packetId) return this.#slots[at]
    return undefined
  }

  /** Answers all settled messages at the head. */
  advance(): void {
    if (this.#isClosed) return
    for (let slot = this.#slots[this.#head]; slot?.isSettled; slot = this.#slots[this.#head]) {
      this.#slots[this.#head++] = undefined
      this.#answer(slot)
    }
    if (this.#head === this.#slots.length) {
      this.#slots.length = 0
      this.#head = 0
    } else if (this.#head > COMPACT_AT && this.#head * 2 > this.#slots.length) {
      this.#slots.splice(0, this.#head)
      this.#head = 0
    }
  }

  close(): void {
    this.#isClosed = true
    this.#slots.length = 0
    this.#head = 0
  }
}
