import type { DeviceWarning } from './device-warning.ts'
import { eventIdOf, eventIds } from './event-id.ts'
import { Journal, type JournalOptions } from './journal.ts'
import type { Outbox } from './outbox.ts'
import { type CompletedEvent, jsonNow, type OutgoingEvent } from './outgoing-event.ts'

export interface SessionJournalOptions {
  readonly deviceId: string
  /** null: events are kept in memory only. */
  readonly journal: JournalOptions | null
  readonly onWarning: (warning: DeviceWarning) => void
}

/** The journal of a session, which may have none. Once it is open, a failed write is a warning, except for a new event. */
export class SessionJournal {
  /** The id of the next event. */
  readonly nextEventId: () => string
  readonly #options: SessionJournalOptions
  readonly #journal: Journal | null

  constructor(options: SessionJournalOptions) {
    const { deviceId } = options
    const journal = options.journal === null ? null : new Journal(options.journal)
    this.#options = options
    this.#journal = journal
    this.nextEventId =
      journal === null ? eventIds(deviceId) : () => eventIdOf(deviceId, journal.epoch, journal.next)
  }

  get isPresent(): boolean {
    return this.#journal !== null
  }

  /** @returns the JSON of its events, oldest first @throws DeviceError as `Journal.open` */
  open(): readonly string[] {
    return this.#journal?.open() ?? []
  }

  /** What it has lost is an event as well. */
  reportLoss(send: (event: OutgoingEvent) => Promise<unknown>): void {
    const journal = this.#journal
    if (journal === null || journal.lost === journal.mark) return
    const { lost, mark } = journal
    const { deviceId, onWarning } = this.#options
    onWarning({ kind: 'lost', deviceId, events: lost - mark })
    send({ event_type: 'events_lost', value: lost, ts_device: new Date().toISOString() }).catch(() => {})
    journal.setMark(lost)
  }

  /** @throws Error if it cannot be written */
  keep(event: CompletedEvent): void {
    this.#journal?.keep({ eventId: event.eventId, json: jsonNow(event, 0) })
  }

  /** Forces events to the disk. False: they are not there, and must not be published before they are. */
  sync(): boolean {
    return this.#guarded((journal) => journal.sync())
  }

  /** They have their device acks. */
  forget(eventIds: readonly string[], outbox: Pick<Outbox, 'events' | 'waitingBytes'>): void {
    this.#guarded((journal) => {
      journal.forget(eventIds)
      if (!journal.isWasteful(outbox.waitingBytes)) return
      const nowMs = performance.now()
      journal.rewrite(
        [...outbox.events()].map((event) => ({
          eventId: event.eventId,
          json: jsonNow(event, nowMs - event.sinceMs),
        })),
      )
    })
  }

  close(): void {
    this.sync()
    this.#journal?.close()
  }

  #guarded(write: (journal: Journal) => void): boolean {
    if (this.#journal === null) return true
    try {
      write(this.#journal)
      return true
    } catch (error) {
      const { deviceId, onWarning } = this.#options
      onWarning({ kind: 'journal', deviceId, error: error as Error })
      return false
    }
  }
}
