import type { DatabaseClient } from '../database/open-client.ts'
import type { Answer } from './verification.ts'

/** Checks in a separate database session, as soon as a device ack or PUBACK arrives, whether its row is committed. */
export class AckWitness {
  /** Answered ids whose row was not yet visible. */
  readonly early: string[] = []
  readonly answers: Answer[] = []
  readonly #database: DatabaseClient
  #queue: string[] = []
  #asking: Promise<void> | null = null

  constructor(database: DatabaseClient) {
    this.#database = database
  }

  heard(answer: Answer): void {
    this.answers.push(answer)
    const { event_id: eventId, status } = answer
    if (status === 'rejected' || eventId === null) return
    this.#queue.push(eventId)
    if (this.#asking !== null) return
    this.#asking = this.#ask()
    // Reported by `settled`.
    this.#asking.catch(() => {})
  }

  /** @throws the error of the database */
  async settled(): Promise<void> {
    await this.#asking
  }

  async #ask(): Promise<void> {
    while (this.#queue.length > 0) {
      const ids = this.#queue
      this.#queue = []
      const { rows } = await this.#database.query<{ event_id: string }>(
        'select event_id from events where event_id = any($1)',
        [ids],
      )
      const found = new Set(rows.map(({ event_id: id }) => id))
      this.early.push(...ids.filter((id) => !found.has(id)))
    }
    this.#asking = null
  }
}
