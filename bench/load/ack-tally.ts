import type { Confirmations } from './confirmations.ts'
import type { EventStream } from './event-stream.ts'

interface Ack {
  readonly event_id: string | null
  readonly status: string
}

export interface AckTallyOptions {
  /** Maximum number of different events. */
  readonly events: number
  readonly eventsPerMessage: number
  /** Called for each expected device ack with the number of its event. */
  readonly onAck: (event: number, status: string) => void
}

const EXAMPLES = 3

/**
 * Counts device acks by event: one must come for each time the event was sent, one of them `stored` and the others
 * `duplicate`, in any order: two writers may commit the second copy before the first.
 */
export class AckTally implements Confirmations {
  readonly #stream: EventStream
  readonly #options: AckTallyOptions
  readonly #sent: Uint8Array
  readonly #stored: Uint8Array
  readonly #duplicate: Uint8Array
  readonly #odd: string[] = []
  #oddCount = 0
  #sentCount = 0
  #confirmed = 0

  constructor(stream: EventStream, options: AckTallyOptions) {
    this.#stream = stream
    this.#options = options
    const { events } = options
    this.#sent = new Uint8Array(events)
    this.#stored = new Uint8Array(events)
    this.#duplicate = new Uint8Array(events)
  }

  get confirmed(): number {
    return this.#confirmed
  }

  expect(message: number): void {
    const first = this.#stream.firstEventOf(message)
    const { eventsPerMessage } = this.#options
    for (let event = first; event < first + eventsPerMessage; event++) add(this.#sent, event)
    this.#sentCount += eventsPerMessage
  }

  take(payload: Buffer): void {
    const parsed = JSON.parse(payload.toString()) as Ack | readonly Ack[]
    if (Array.isArray(parsed)) for (const ack of parsed as readonly Ack[]) this.#count(ack)
    else this.#count(parsed as Ack)
  }

  faults(): readonly string[] {
    const faults: string[] = []
    const missing = this.#sentCount - this.#confirmed
    if (missing > 0) {
      const examples: string[] = []
      for (let event = 0; event < this.#sent.length && examples.length < EXAMPLES; event++) {
        if (this.#acksOf(event) < at(this.#sent, event)) examples.push(this.#stream.idOf(event))
      }
      faults.push(`missing device acks: ${missing.toLocaleString('en')}, among them ${examples.join(', ')}`)
    }
    if (this.#oddCount > 0)
      faults.push(`odd device acks: ${this.#oddCount}, among them ${this.#odd.join('; ')}`)
    return faults
  }

  stop(): void {}

  #count(ack: Ack): void {
    const event = ack.event_id === null ? null : this.#stream.eventOf(ack.event_id)
    if (event === null || event >= this.#sent.length || this.#sent[event] === 0) {
      return this.#note('of an event that was not sent', ack)
    }
    if (this.#acksOf(event) >= at(this.#sent, event)) return this.#note('one too many', ack)
    if (ack.status === 'stored') {
      if (this.#stored[event] === 1) return this.#note('stored twice', ack)
      this.#stored[event] = 1
    } else if (ack.status === 'duplicate' && at(this.#duplicate, event) < at(this.#sent, event) - 1) {
      add(this.#duplicate, event)
    } else return this.#note('not stored', ack)
    this.#confirmed++
    this.#options.onAck(event, ack.status)
  }

  #acksOf(event: number): number {
    return at(this.#stored, event) + at(this.#duplicate, event)
  }

  #note(what: string, ack: Ack): void {
    this.#oddCount++
    if (this.#odd.length < EXAMPLES) this.#odd.push(`${what}: ${JSON.stringify(ack)}`)
  }
}

function at(counts: Uint8Array, event: number): number {
  return counts[event] as number
}

function add(counts: Uint8Array, event: number): void {
  counts[event] = at(counts, event) + 1
}
