import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { currentUrl, type DatabaseUrl } from '../endpoints/database-url.ts'
import { hasCode, QsError } from '../errors/qs-error.ts'
import { logged } from '../errors/reason-of.ts'
import type { Log } from '../telemetry/log.ts'
import { streamOf } from './connect.ts'
import { openClient } from './open-client.ts'
import { queryFailure } from './query-failure.ts'
import { endSessions, type ServerSession, sessionOf } from './server-session.ts'

export interface InstanceLockOptions {
  readonly url: DatabaseUrl
  /** MQTT_CLIENT_ID, which must be unique. */
  readonly name: string
  readonly log: Log
  /** Another ingester took the name while this one had no connection to the database. */
  readonly onLost: (error: Error) => void
}

/** An ingester that is being replaced may take five seconds to drain. */
const WAIT_MS = 6_000
const RETRY_MS = 1_000
const HEARTBEAT_MS = 10_000

/**
 * Allows one ingester per client id. Two would take the broker's session from each other forever, and few brokers say
 * why they close a connection. So the name is an advisory lock, held by a session that lasts as long as the ingester: a
 * kill releases it at once, and the server's keep-alives release it after a host has vanished. If the session has ended
 * on this side only, the next one terminates it on the server, so that an ingester does not lock itself out.
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

  /** @throws QsError CLIENT_ID_IN_USE or as openClient, or the error of the database */
  async acquire(): Promise<void> {
    const { url, name } = this.#options
    const client = await openClient(currentUrl(url), {
      name: `${name} (lock)`,
      connectTimeoutMs: 5_000,
      queryTimeoutMs: WAIT_MS + 2_000,
    })
    client.once('end', () => this.#onEnd(client))
    try {
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
      if ((error as { code?: string }).code !== '55P03') throw queryFailure(error)
      throw new QsError('CLIENT_ID_IN_USE', `Another ingester with the client id ${name} is running`)
    }
  }

  release(): void {
    this.#stopping.abort()
    clearInterval(this.#heartbeat)
    if (this.#client !== null) streamOf(this.#client).destroy()
  }

  /** Detects a session that the server has dropped without telling, which leaves the name free for others. */
  async #beat(): Promise<void> {
    const client = this.#client
    await client?.query('select 1').catch(() => streamOf(client).destroy())
  }

  #onEnd(client: pg.Client): void {
    if (client !== this.#client || this.#stopping.signal.aborted) return
    this.#client = null
    void this.#reacquire()
  }

  /** After a lost connection: takes the name again. The pipeline handles the outage itself. */
  async #reacquire(): Promise<void> {
    const { log, onLost } = this.#options
    while (!this.#stopping.signal.aborted) {
      try {
        return await this.acquire()
      } catch (error) {
        if (hasCode(error, 'CLIENT_ID_IN_USE')) return onLost(error)
        log.debug(logged(error), 'The name of this ingester is not yet locked again')
      }
      await delay(RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => {})
    }
  }
}
