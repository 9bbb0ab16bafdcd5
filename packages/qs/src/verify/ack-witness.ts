import type { DeviceAck } from '@qs-telemetry/protocol'
import type { DatabaseClient } from '../database/open-client.ts'

/** Another session of the database: asked about each device ack as soon as it came, whether its row is committed. */
export class AckWitness {
  /** Ids that were acked, and whose row another session did not see then. */
  readonly early: string[] = []
  readonly deviceAcks: DeviceAck[] = []
  readonly #database: DatabaseClient
  #queue: string[] = []
  #asking: Promise<void> | null = null

  constructor(database: DatabaseClient) {
    this.#database = database
  }

  heard(deviceAck: DeviceAck): void {
    this.deviceAcks.push(deviceAck)
    const { event_id: eventId, status } = deviceAck
    if (status === 'rejected' || eventId === null) return
    this.#queue.push(eventId)
    if (this.#asking !== null) return
    this.#asking = this.#ask()
    // Told by `settled`.
    this.#asking.catch(() => {})
  }

  /** @throws what the database said */
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
