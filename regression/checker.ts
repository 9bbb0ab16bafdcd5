/**
 * Checks the promises against what was observed. Pure: the observer of a run (the simulation, a test with real
 * servers) reports what was sent, what a database session saw committed, and what the devices and the broker received,
 * in the order observed. A device ack or PUBACK that precedes its rows is therefore detected.
 *
 * - an acknowledged event is a committed event, and so is everything in a message that has its PUBACK
 * - no id is stored twice, and what is stored is what was sent
 * - a bad element costs no good one, and no ack says otherwise
 * - PUBACKs leave on the connection of their message and in its order [MQTT-4.6.0-2]
 * - received = stored + duplicate + rejected + in flight
 * - what is in flight is bounded, and nothing is missing once all is quiet
 */
export class Checker {
  readonly violations: string[] = []
  /** Keyed by device and bytes. */
  readonly #sent = new Map<string, Sent>()
  /** Of wills. */
  readonly #mayBeMissing = new Set<string>()
  #sends = 0
  readonly #contents = new Map<string, string>()
  /** Keyed by device and bytes. */
  readonly #letters = new Set<string>()
  #letterRows = 0
  readonly #letterIds = new Set<string>()
  /** Messages of each connection without a PUBACK yet, oldest first. */
  readonly #unanswered = new Map<string, Delivered[]>()
  readonly #acks = { stored: 0, duplicate: 0, rejected: 0 }
  readonly #mayBeVisibleLate: boolean
  /** What was acknowledged and not visible yet. */
  readonly #late: { readonly isKept: () => boolean; readonly what: () => string }[] = []

  /**
   * @param options.mayBeVisibleLate the database may show a committed row only later, as Citus does when a worker died between
   *   PREPARE and COMMIT PREPARED: what was acknowledged must be there in the end
   */
  constructor({ mayBeVisibleLate = false }: { readonly mayBeVisibleLate?: boolean } = {}) {
    this.#mayBeVisibleLate = mayBeVisibleLate
  }

  /** How many acknowledgements came before their rows were visible. */
  get visibleLate(): number {
    return this.#late.length
  }

  /** The device has published it, or tried to. */
  sent(item: Sent): void {
    const key = keyOf(item.deviceId, item.payload)
    this.#sent.set(key, item)
    this.#sends++
  }

  /** The device has left it as its will, which the broker publishes only if the connection breaks. */
  willed(item: Sent): void {
    this.#mayBeMissing.add(keyOf(item.deviceId, item.payload))
    this.sent(item)
  }

  /** A row of `events`, with its content as `contentOf` writes it. */
  stored(eventId: string, content: string): void {
    if (this.#contents.has(eventId)) this.#violated(`the event ${eventId} is stored twice`)
    this.#contents.set(eventId, content)
  }

  /** All rows of `events` at once, late in a run: every row seen before must still be there, unchanged. */
  looked(rows: Iterable<readonly [eventId: string, content: string]>): void {
    const seen = new Set<string>()
    for (const [eventId, content] of rows) {
      const before = this.#contents.get(eventId)
      if (before === undefined || seen.has(eventId)) this.stored(eventId, content)
      else if (before !== content) this.#violated(`the row of ${eventId} was ${before} and is ${content}`)
      seen.add(eventId)
    }
    for (const eventId of this.#contents.keys()) {
      if (!seen.has(eventId)) this.#violated(`lost: the row of ${eventId} was committed and is gone`)
    }
  }

  /** A row of `dead_letters`. */
  deadLettered(letter: Letter): void {
    const key = keyOf(letter.deviceId, letter.payload)
    const sent = this.#sent.get(key)
    if (sent === undefined) this.#violated(`dead-lettered but never sent: ${letter.payload}`)
    else if (sent.fate === 'stored') {
      this.#violated(`a good event is dead-lettered with ${letter.code}: ${letter.payload}`)
    }
    this.#letters.add(key)
    this.#letterRows++
    this.#letterIds.add(`${letter.deviceId}\0${letter.eventId}`)
  }

  /** The device has received its ack. */
  acked({ deviceId, eventId, status }: Ack): void {
    this.#acks[status]++
    const isKept = () =>
      status === 'rejected'
        ? this.#letterIds.has(`${deviceId}\0${eventId}`)
        : eventId !== null && this.#contents.has(eventId)
    this.#mustBeKept(
      isKept,
      () => `${deviceId} was told that ${eventId} is ${status}, and it is not committed`,
    )
  }

  /** The broker has sent a message with QoS 1 to the ingester. */
  delivered(connection: string, message: Delivered): void {
    const open = this.#unanswered.get(connection) ?? []
    this.#unanswered.set(connection, open)
    open.push(message)
  }

  /** The broker has received the PUBACK. */
  pubacked(connection: string, packetId: number): void {
    const [first] = this.#unanswered.get(connection) ?? []
    if (first?.packetId !== packetId) {
      return this.#violated(
        `PUBACK ${packetId} on connection ${connection}, where ${first?.packetId ?? 'nothing'} is next`,
      )
    }
    this.#unanswered.get(connection)?.shift()
    for (const payload of first.payloads)
      this.#mustBeKept(
        () => this.isKept(first.deviceId, payload),
        () => `PUBACK ${packetId} came, and this is not committed: ${payload}`,
      )
  }

  /** The metrics of one ingester. */
  counted({ received, stored, duplicate, rejected, inFlight }: Counts): void {
    if (received !== stored + duplicate + rejected + inFlight || inFlight < 0) {
      this.#violated(`${received} received ≠ ${stored} + ${duplicate} + ${rejected} + ${inFlight} in flight`)
    }
  }

  /** The sums of `ingest_stats`, seen together with the rows. A retry may count the same event again, never store it. */
  accounted(stats: Omit<Counts, 'inFlight'>): void {
    this.counted({ ...stats, inFlight: 0 })
    if (stats.stored !== this.#contents.size) {
      this.#violated(`ingest_stats has ${stats.stored} stored, events has ${this.#contents.size} rows`)
    }
    if (stats.rejected < this.#letterRows) {
      this.#violated(`ingest_stats has ${stats.rejected} rejected, dead_letters has ${this.#letterRows} rows`)
    }
  }

  /** What an ingester has in flight, in any bounded unit. */
  held(what: string, count: number, bound: number): void {
    if (count > bound) this.#violated(`${count} ${what} in flight, above ${bound}`)
  }

  /** Whether a row holds exactly this: in `events` its content, or in `dead_letters` its bytes. */
  isKept(deviceId: string, payload: string): boolean {
    const key = keyOf(deviceId, payload)
    if (this.#letters.has(key)) return true
    const sent = this.#sent.get(key)
    return sent?.event != null && this.#contents.get(sent.event.id) === sent.event.content
  }

  /** Everything is acked and nothing is under way. */
  quiet(): void {
    for (const { isKept, what } of this.#late) if (!isKept()) this.#violated(what())
    const contents = new Map<string, Set<string>>()
    for (const { deviceId, payload, fate, event } of this.#sent.values()) {
      const isDue = !this.#mayBeMissing.has(keyOf(deviceId, payload))
      if (isDue && !this.isKept(deviceId, payload)) this.#violated(`lost: ${payload}`)
      if (event === null) continue
      if (fate === 'rejected' && this.#contents.has(event.id)) this.#violated(`stored: ${payload}`)
      const all = contents.get(event.id) ?? new Set()
      contents.set(event.id, all.add(event.content))
    }
    for (const [eventId, content] of this.#contents) {
      if (!contents.get(eventId)?.has(content)) {
        this.#violated(`${eventId} is stored with content never sent: ${content}`)
      }
    }
  }

  /** Counts for a report. */
  get tally() {
    const { stored, duplicate, rejected } = this.#acks
    return {
      sent: this.#sent.size,
      sends: this.#sends,
      acked: stored + duplicate + rejected,
      stored: this.#contents.size,
      deadLetters: this.#letterRows,
    }
  }

  #mustBeKept(isKept: () => boolean, what: () => string): void {
    if (isKept()) return
    if (this.#mayBeVisibleLate) this.#late.push({ isKept, what })
    else this.#violated(what())
  }

  #violated(what: string): void {
    this.violations.push(what)
  }
}

/** An element of a message as sent by its device. */
export interface Sent {
  readonly deviceId: string
  /** Its bytes as text, which its dead letter must keep. */
  readonly payload: string
  /** For an event: its id, and its content as written by `contentOf`. */
  readonly event: { readonly id: string; readonly content: string } | null
  /** `either` if two contents share an id: the first to arrive is stored, the other refused. */
  readonly fate: 'stored' | 'rejected' | 'either'
}

export interface Letter {
  readonly deviceId: string
  readonly eventId: string | null
  readonly code: string
  readonly payload: string
}

export interface Ack {
  readonly deviceId: string
  readonly eventId: string | null
  readonly status: 'stored' | 'duplicate' | 'rejected'
}

export interface Delivered {
  readonly packetId: number
  readonly deviceId: string
  /** Payloads of its elements. */
  readonly payloads: readonly string[]
}

export interface Counts {
  readonly received: number
  readonly stored: number
  readonly duplicate: number
  readonly rejected: number
  readonly inFlight: number
}

/** The content of an event without its server time; `contentOf` writes equal contents as equal texts. */
export interface Content {
  readonly deviceId: string
  readonly eventType: string
  readonly valueNum: number | null
  readonly valueText: string | null
  readonly unit: string | null
  readonly tsDevice: string | null
  readonly meta: unknown
}

export function contentOf({
  deviceId,
  eventType,
  valueNum,
  valueText,
  unit,
  tsDevice,
  meta,
}: Content): string {
  return JSON.stringify([deviceId, eventType, valueNum, valueText, unit, tsDevice, sorted(meta)])
}

/** JSONB has its own order of keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  )
}

function keyOf(deviceId: string, payload: string): string {
  return `${deviceId}\0${payload}`
}
