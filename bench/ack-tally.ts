import type { EventStream } from './event-stream.ts'

interface Ack {
  readonly event_id: string | null
  readonly status: string
}

const EXAMPLES = 3

/** Counts device acks, event by event: each one has to come, once, and say `stored`. */
export class AckTally {
  readonly #stream: EventStream
  readonly #acksOf: Uint8Array
  readonly #onAck: (event: number) => void
  readonly #odd: string[] = []
  #oddCount = 0
  #stored = 0

  constructor(stream: EventStream, events: number, onAck: (event: number) => void) {
    this.#stream = stream
    this.#acksOf = new Uint8Array(events)
    this.#onAck = onAck
  }

  /** Different events that were acked as stored. */
  get stored(): number {
    return this.#stored
  }

  take(payload: Buffer): void {
    const parsed = JSON.parse(payload.toString()) as Ack | readonly Ack[]
    if (Array.isArray(parsed)) for (const ack of parsed as readonly Ack[]) this.#count(ack)
    else this.#count(parsed as Ack)
  }

  /** What is wrong with the acks of the first `sent` events, in words; empty where nothing is. */
  faults(sent: number): readonly string[] {
    const faults: string[] = []
    if (this.#stored < sent) {
      const missing: string[] = []
      for (let event = 0; event < sent && missing.length < EXAMPLES; event++) {
        if (this.#acksOf[event] === 0) missing.push(this.#stream.idOf(event))
      }
      const count = (sent - this.#stored).toLocaleString('en')
      faults.push(`${count} device acks are missing, among them ${missing.join(', ')}`)
    }
    if (this.#oddCount > 0) faults.push(`${this.#oddCount} odd device acks: ${this.#odd.join('; ')}`)
    return faults
  }

  #count(ack: Ack): void {
    const event = ack.event_id === null ? null : this.#stream.eventOf(ack.event_id)
    if (event === null || event >= this.#acksOf.length) return this.#note('of an event nobody sent', ack)
    if (ack.status !== 'stored') return this.#note('not stored', ack)
    if (this.#acksOf[event] !== 0) return this.#note('a second one', ack)
    this.#acksOf[event] = 1
    this.#stored++
    this.#onAck(event)
  }

  #note(what: string, ack: Ack): void {
    this.#oddCount++
    if (this.#odd.length < EXAMPLES) this.#odd.push(`${what}: ${JSON.stringify(ack)}`)
  }
}
