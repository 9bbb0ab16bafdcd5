import type { ClockJump } from '../alarms/clock-alarm.ts'
import type { RoomState } from '../alarms/room-alarm.ts'
import { BackgroundWork } from '../database/background-work.ts'
import type { Ask } from '../database/query-pool.ts'
import type { DatabaseUrl } from '../endpoints/database-url.ts'
import { logged } from '../errors/reason-of.ts'
import type { Clock } from '../pipeline/clock.ts'
import type { Log } from '../telemetry/log.ts'
import { clockJump } from './clock-jump.ts'
import { dropExpired } from './drop-expired.ts'
import { makeRoom } from './make-room.ts'
import { type SealStep, sealNext } from './seal-next.ts'

/** After the start the ingester has other work: numbers by the hour first, without which nothing is sealed. */
const FIRST_MS = 60_000
/** Between two walks through all series. A walk that finds nothing costs about 20 µs a series. */
const WALK_EVERY_MS = 10 * 60_000
/** A disk fills while a walk lasts for hours. */
const ROOM_EVERY_MS = 60_000
/** After a failure. */
const RETRY_MS = 60_000
/** The pause after a step, as a multiple of its time: sealing takes a fifth of one core at most. */
const PAUSE = 4
const MIN_PAUSE_MS = 20
/** Between two log lines about one walk. */
const SAY_EVERY_MS = 60_000
const TIMEOUT_MS = 10 * 60_000

export interface SealJobOptions {
  readonly url: DatabaseUrl
  /** The age at which events are sealed; null: never. */
  readonly afterMs: number | null
  /** Free on the disk of the database; null: unknown. */
  readonly freeBytes: (ask: Ask) => Promise<number | null>
  readonly clock: Clock
  /** Gets the id of the server process that seals. */
  readonly onConnect?: (pid: number) => void
  readonly onSealed: (events: number) => void
  readonly onDropped: (events: number) => void
  readonly log: Log
}

/**
 * Seals old events, and after each walk deletes those that are kept no longer, step by step, on a separate connection;
 * with KEEP_FREE, also the oldest if the disk is short.
 * Each step is one transaction and records its place, so that the work goes on there after any failure; several
 * ingesters take turns.
 */
export class SealJob {
  readonly #work: BackgroundWork
  readonly #options: SealJobOptions
  /** Events sealed in this walk. */
  #sealed = 0
  /** Series of this walk that cannot be sealed; it meets them in each of its turns. */
  readonly #faulty = new Set<string>()
  #saidAtMs = 0
  #clockJump: ClockJump | null = null
  #roomAtMs = -Infinity
  #room: RoomState | null = null

  constructor(options: SealJobOptions) {
    this.#options = options
    const { url, clock, onConnect, log } = options
    this.#work = new BackgroundWork({
      ...{ url, clock, name: 'qs-sealing', timeoutMs: TIMEOUT_MS },
      ...(onConnect && { onConnect }),
      step: (pool) => this.#step(pool),
      onFailure: (error) => {
        log.warn(
          logged(error),
          'Old events could not be sealed or deleted; they stay as they are, and the next try is in a minute',
        )
        return RETRY_MS
      },
    })
  }

  /** The jump of the clock for which old events wait. */
  get clockJump(): ClockJump | null {
    return this.#clockJump
  }

  /** What KEEP_FREE does; null: it is off. */
  get room(): RoomState | null {
    return this.#room
  }

  start(): void {
    this.#work.start(FIRST_MS)
  }

  /** Aborts a step in progress, which is rolled back. */
  stop(): Promise<void> {
    return this.#work.stop()
  }

  async #step(ask: Ask): Promise<number> {
    const { afterMs, clock } = this.#options
    const startMs = clock.monotonicMs()
    if (startMs - this.#roomAtMs >= ROOM_EVERY_MS) await this.#makeRoom(ask, startMs)
    const isSealed = afterMs === null || this.#note(await sealNext(ask, afterMs))
    const isEnd = isSealed && (await this.#drop(ask))
    return isEnd ? WALK_EVERY_MS : Math.max(MIN_PAUSE_MS, PAUSE * (clock.monotonicMs() - startMs))
  }

  /** @returns whether nothing too old is left */
  async #drop(ask: Ask): Promise<boolean> {
    const { onDropped, log } = this.#options
    const { events, segments, isEnd } = await dropExpired(ask)
    this.#clockJump = await clockJump(ask)
    onDropped(events)
    if (events > 0) log.info({ events, segments }, 'Deleted events that are kept no longer')
    return isEnd
  }

  async #makeRoom(ask: Ask, nowMs: number): Promise<void> {
    const { freeBytes: read, onDropped, log } = this.#options
    const freeBytes = await read(ask)
    const { keepFreeBytes, events, segments } = await makeRoom(ask, freeBytes)
    this.#roomAtMs = nowMs
    onDropped(events)
    const before = this.#room?.events ?? 0
    this.#room = keepFreeBytes === null ? null : { keepFreeBytes, freeBytes, events: before + events }
    if (events > 0)
      log.warn(
        { events, segments, freeBytes },
        'Deleted the oldest sealed events, for lack of space (KEEP_FREE)',
      )
  }

  #note({ deviceId, eventType, events, isEnd, fault }: SealStep): boolean {
    const { onSealed, clock, log } = this.#options
    const nowMs = clock.monotonicMs()
    onSealed(events)
    this.#sealed += events
    const series = JSON.stringify([deviceId, eventType])
    if (fault !== null && !this.#faulty.has(series)) {
      this.#faulty.add(series)
      log.error(
        { device: deviceId, type: eventType, reason: fault },
        'Events of this series cannot be sealed. They stay as they are and nothing is lost; please report this',
      )
    }
    const isDue = nowMs - this.#saidAtMs >= SAY_EVERY_MS
    if (this.#sealed > 0 && (isEnd || isDue)) {
      log.info({ events: this.#sealed, device: isEnd ? undefined : deviceId }, 'Sealed old events')
      this.#saidAtMs = nowMs
    }
    if (isEnd) {
      this.#sealed = 0
      this.#faulty.clear()
    }
    return isEnd
  }
}
