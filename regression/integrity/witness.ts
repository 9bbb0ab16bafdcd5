import { setTimeout as delay } from 'node:timers/promises'
import { until } from '@qs-telemetry/testing/until.ts'
import { Client } from 'pg'
import type { Ack, Checker, Sent } from '../checker.ts'
import {
  contentOfRow,
  EVENT_COLUMNS,
  type EventRow,
  LETTER_COLUMNS,
  type LetterRow,
  letterOfRow,
} from './stored-rows.ts'

interface HeardAck extends Ack {
  /** Reports the ack to the checker. */
  readonly tell: () => void
  /** When it was received, on the clock shared with PostgreSQL, to the millisecond. */
  readonly heardMs: number
}

/** The most acks in one query. */
const MAX_ASKED = 2_000
const PAGE_ROWS = 20_000
/** A session can hang: with Citus in a worker that is silent. It asks again in a new one. */
const ANSWER_MS = 20_000
/** Resolution of Date.now(), which rounds down. */
const RESOLUTION_MS = 1

/** An index for the witness only. */
const OWN_INDEX = `
  create index if not exists witness on dead_letters (device_id, coalesce(event_id, ''))`

/**
 * Queries, in a database session of its own, whether the rows of each device ack are committed as soon as the ack
 * arrives. Two things make it strict. It queries every ack, so missing rows are detected. And it compares the commit
 * time that PostgreSQL recorded (`track_commit_timestamp`) with the arrival of the ack: a row committed after its ack
 * but before the query is reported to the checker in that order.
 *
 * While the database is away it keeps trying; acks received meanwhile must have their rows when it is back.
 */
export class Witness {
  readonly #url: string
  readonly #checker: Checker
  readonly #seenEvents = new Set<string>()
  readonly #seenLetters = new Set<string>()
  #client: Client | null = null
  #queue: HeardAck[] = []
  #asking: Promise<void> | null = null
  #isClosed = false

  /** @param url the superuser's, which gets a slot even when the ingester does not */
  constructor(url: string, checker: Checker) {
    this.#url = url
    this.#checker = checker
  }

  async open(): Promise<void> {
    await (await this.#connected()).query(OWN_INDEX)
  }

  acked(ack: Ack): void {
    this.#hear(ack, () => this.#checker.acked(ack))
  }

  /** The sender has received the PUBACK of the message with this event. */
  pubacked(
    connection: string,
    packetId: number,
    { deviceId, eventId, fate }: Pick<Ack, 'deviceId' | 'eventId'> & { readonly fate?: Sent['fate'] },
  ): void {
    const status = fate === 'rejected' ? 'rejected' : 'stored'
    this.#hear({ deviceId, eventId, status }, () => this.#checker.pubacked(connection, packetId))
  }

  #hear(ack: Ack, tell: () => void): void {
    this.#queue.push({ ...ack, tell, heardMs: Date.now() })
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null
    })
  }

  /** Resolves when every ack has been looked up. */
  async settled(timeoutMs = 60_000): Promise<void> {
    await until(() => this.#asking === null, 'the witness has looked up every device ack', timeoutMs)
  }

  /** Reports all rows to the checker, in one snapshot. Only when everything is quiet. */
  async readAll(): Promise<void> {
    const client = await this.#connected()
    await client.query('begin isolation level repeatable read')
    const rows: [id: string, content: string][] = []
    for (let last: string | null = ''; last !== null; ) {
      const page: readonly EventRow[] = (
        await client.query(
          `select ${EVENT_COLUMNS} from events e where event_id > $1 order by event_id limit ${PAGE_ROWS}`,
          [last],
        )
      ).rows
      for (const row of page) rows.push([row.event_id, contentOfRow(row)])
      last = page.at(-1)?.event_id ?? null
    }
    const letters = await client.query<LetterRow>(
      `select ${LETTER_COLUMNS} from dead_letters l order by dead_letter_id`,
    )
    const stats = await client.query(`
      select coalesce(sum(received), 0)::int as received, coalesce(sum(stored), 0)::int as stored,
        coalesce(sum(duplicate), 0)::int as duplicate, coalesce(sum(rejected), 0)::int as rejected
      from ingest_stats`)
    await client.query('commit')
    this.#checker.looked(rows)
    for (const letter of letters.rows) this.#tellLetter(letter)
    this.#checker.accounted(stats.rows[0])
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#client?.end().catch(() => {})
  }

  async #ask(): Promise<void> {
    while (this.#queue.length > 0 && !this.#isClosed) {
      const acks = this.#queue.slice(0, MAX_ASKED)
      try {
        const client = await this.#connected()
        const [rows, letters] = [await eventsOf(client, acks), await lettersOf(client, acks)]
        this.#queue = this.#queue.slice(acks.length)
        for (const ack of acks) this.#tell(ack, rows, letters)
      } catch {
        this.#client?.end().catch(() => {})
        this.#client = null
        await delay(100)
      }
    }
  }

  /** Reports rows and ack in the order of events. */
  #tell(ack: HeardAck, rows: ReadonlyMap<string, EventRow>, letters: ReadonlyMap<string, LetterRow[]>): void {
    const isTooLate = ({ committed_ms: ms }: { readonly committed_ms: number }) =>
      ms > ack.heardMs + RESOLUTION_MS
    if (ack.status === 'rejected') {
      const found = letters.get(letterKey(ack.deviceId, ack.eventId)) ?? []
      for (const letter of found.filter((each) => !isTooLate(each))) this.#tellLetter(letter)
      ack.tell()
      for (const letter of found) this.#tellLetter(letter)
      return
    }
    const row = rows.get(ack.eventId ?? '')
    const isLate = row !== undefined && isTooLate(row)
    if (row !== undefined && !isLate) this.#tellEvent(row)
    ack.tell()
    if (row !== undefined && isLate) this.#tellEvent(row)
  }

  #tellEvent(row: EventRow): void {
    if (this.#seenEvents.has(row.event_id)) return
    this.#seenEvents.add(row.event_id)
    this.#checker.stored(row.event_id, contentOfRow(row))
  }

  #tellLetter(letter: LetterRow): void {
    if (this.#seenLetters.has(letter.dead_letter_id)) return
    this.#seenLetters.add(letter.dead_letter_id)
    this.#checker.deadLettered(letterOfRow(letter))
  }

  async #connected(): Promise<Client> {
    if (this.#client !== null) return this.#client
    const client = new Client({
      connectionString: this.#url,
      application_name: 'witness',
      connectionTimeoutMillis: 5_000,
      query_timeout: ANSWER_MS,
    })
    client.on('error', () => {
      if (this.#client === client) this.#client = null
    })
    await client.connect()
    await client.query(
      `set default_transaction_read_only = off; set lock_timeout = 0; set statement_timeout = 0`,
    )
    this.#client = client
    return client
  }
}

async function eventsOf(client: Client, acks: readonly Ack[]): Promise<ReadonlyMap<string, EventRow>> {
  const ids = acks.filter(({ status }) => status !== 'rejected').map(({ eventId }) => eventId)
  if (ids.length === 0) return new Map()
  const { rows } = await client.query<EventRow>({
    name: 'events',
    text: `select ${EVENT_COLUMNS} from events e where e.event_id = any($1::text[])`,
    values: [ids],
  })
  return new Map(rows.map((row) => [row.event_id, row]))
}

async function lettersOf(client: Client, acks: readonly Ack[]): Promise<ReadonlyMap<string, LetterRow[]>> {
  const found = new Map<string, LetterRow[]>()
  const rejected = acks.filter(({ status }) => status === 'rejected')
  if (rejected.length === 0) return found
  const { rows } = await client.query<LetterRow>({
    name: 'letters',
    text: `
      select distinct on (l.dead_letter_id) ${LETTER_COLUMNS}
      from unnest($1::text[], $2::text[]) as a (device, event)
      join dead_letters l on l.device_id = a.device and coalesce(l.event_id, '') = coalesce(a.event, '')`,
    values: [rejected.map(({ deviceId }) => deviceId), rejected.map(({ eventId }) => eventId)],
  })
  for (const row of rows) {
    const key = letterKey(row.device_id, row.event_id)
    found.set(key, [...(found.get(key) ?? []), row])
  }
  return found
}

function letterKey(deviceId: string, eventId: string | null): string {
  return `${deviceId}\0${eventId}`
}
