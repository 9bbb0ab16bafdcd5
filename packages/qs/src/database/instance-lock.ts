import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { currentUrl, type DatabaseUrl } from '../endpoints/database-url.ts'
import type { Log } from '../telemetry/log.ts'
import { streamOf } from './connect.ts'
import { endSessions, type ServerSession, sessionOf } from './server-session.ts'

/** Another ingester has this client id. */
class NameTakenError extends Error {}

export interface InstanceLockOptions {
  readonly url: DatabaseUrl
  /** MQTT_CLIENT_ID: what must be unique. */
  readonly name: string
  readonly log: Log
  /** Another ingester has taken the name while this one had no connection to the database. */
  readonly onLost: (error: Error) => void
}

/** An ingester that is being replaced drains for up to five seconds. */
const WAIT_MS = 6_000
const RETRY_MS = 1_000
const HEARTBEAT_MS = 10_000

/**
 * One ingester for each client id. Two of them would take the broker's session from each other for ever, and few
 * brokers say why they close a connection. So the name is an advisory lock of a session that lasts as long as the
 * ingester; a kill frees it at once, and keep-alives of the server free that of a host that vanished. Where only this end
 * of the session knows that it is over, the next one ends the other: an ingester is no rival of its own.
 */
export class InstanceLock {
  readonly #options: InstanceLockOptions
  #client: pg.Client | null = null
  #holder: ServerSession | null = null
  #heartbeat: NodeJS.Timeout | undefined
  readonly #stopping = new AbortController()

  constructor(options: InstanceLockOptions) {
    this.#options = options
  }

  /** @throws Error that names the client id, when another ingester keeps it; or what the database said */
  async acquire(): Promise<void> {
    const { url, name } = this.#options
    const client = new pg.Client({
      connectionString: currentUrl(url),
      application_name: `${name} (lock)`,
      connectionTimeoutMillis: 5_000,
      query_timeout: WAIT_MS + 2_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 5_000,
    })
    client.on('error', () => {})
    client.once('end', () => this.#onEnd(client))
    try {
      await client.connect()
      await client.query(
        `set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3`,
      )
      if (this.#holder !== null) await endSessions(client, [this.#holder])
      await client.query(`set lock_timeout = ${WAIT_MS}`)
      await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [`qs-ingester ${name}`])
      this.#holder = await sessionOf(client)
      this.#client = client
      this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT_MS)
    } catch (error) {
      streamOf(client).destroy()
      if ((error as { code?: string }).code !== '55P03') throw error
      throw new NameTakenError(
        `Another ingester with the client id ${name} is running. Give each ingester its own MQTT_CLIENT_ID.`,
      )
    }
  }

  release(): void {
    this.#stopping.abort()
    clearInterval(this.#heartbeat)
    if (this.#client !== null) streamOf(this.#client).destroy()
  }

  /** A server that dropped the session may be unable to say so; then the name is free for another. */
  async #beat(): Promise<void> {
    const client = this.#client
    await client?.query('select 1').catch(() => streamOf(client).destroy())
  }

  #onEnd(client: pg.Client): void {
    if (client !== this.#client || this.#stopping.signal.aborted) return
    this.#client = null
    void this.#reacquire()
  }

  /** The database was away. The pipeline waits for it on its own; here only the name is taken again. */
  async #reacquire(): Promise<void> {
    const { log, onLost } = this.#options
    while (!this.#stopping.signal.aborted) {
      try {
        return await this.acquire()
      } catch (error) {
        if (error instanceof NameTakenError) return onLost(error)
        log.debug({ reason: (error as Error).message }, 'The name of this ingester is not locked again yet')
      }
      await delay(RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => {})
    }
  }
}
