import { DeafClient } from '../../broker/liveness.ts'
import type { Peer } from '../../broker/rules.ts'
import { PacketTooLarge } from '../../mqtt/frames.ts'
import { ProtocolFault, REASON } from '../../mqtt/reasons.ts'
import type { Log } from '../../telemetry/log.ts'
import { AccountChanged } from './access.ts'
import { aboutClient, type ClientComplaints } from './client-complaints.ts'

/** A client disconnected because it did not read. */
export interface DeafRecord {
  readonly client: string
  readonly atMs: number
  /** QoS 0 messages that it missed. */
  readonly dropped: number
}

/** A message that could not be retained. */
export interface UnretainedRecord {
  /** null: the broker itself. */
  readonly client: string | null
  readonly topic: string
  readonly atMs: number
}

/** A client whose durable session was refused. */
export interface QuotaRecord {
  readonly client: string
  readonly account: string
  readonly atMs: number
}

const NOT_READING =
  'did not read its messages for 5 s and was disconnected. Messages with QoS 0 are lost to it; QoS 1 waits in its session'
const TOO_MANY_SESSIONS =
  'a client was refused a durable session: its account has reached the limit MQTT_MAX_SESSIONS_PER_ACCOUNT'
const FOREIGN_SESSION =
  'a client was refused: another account has a session with its client id. Give each client its own id'
const TOO_MUCH_RETAINED =
  'a message with the retain flag was not retained: 100,000 messages or 64 MiB are. An empty message with the flag removes one'

/** Reasons that are ordinary or logged elsewhere. */
const UNSAID: ReadonlySet<number> = new Set([
  REASON.keepAliveTimeout,
  REASON.sessionTakenOver,
  REASON.shuttingDown,
])

/** What the operator hears about clients: lines of the log, and since the start the counts and the latest of each kind. */
export class Incidents {
  readonly #complaints: ClientComplaints
  readonly #log: Log
  /** The latest client disconnected because it did not read. */
  deaf: DeafRecord | null = null
  /** Durable sessions. */
  readonly sessionsRefused = { refused: 0, latest: null as QuotaRecord | null }
  /** Messages that were not retained, because the store is full. */
  readonly unretained = { count: 0, latest: null as UnretainedRecord | null }

  constructor(complaints: ClientComplaints, log: Log) {
    this.#complaints = complaints
    this.#log = log
  }

  queueFull(client: string): void {
    const text = `the queue of session ${client}, of its account or of all sessions is full: its messages are dropped`
    this.#complaints.say('full', { client }, text)
  }

  notRetained(client: string | null, topic: string): void {
    this.unretained.count++
    this.unretained.latest = { client, topic, atMs: performance.now() }
    this.#complaints.say('retained', { client, topic }, TOO_MUCH_RETAINED)
  }

  sessionRefused(peer: Peer, account: string): void {
    this.sessionsRefused.refused++
    this.sessionsRefused.latest = { client: peer.clientId, account, atMs: performance.now() }
    this.#complaints.say('sessions', { ...aboutClient(peer), account }, TOO_MANY_SESSIONS)
  }

  foreignSession(peer: Peer): void {
    this.#complaints.say('client id', aboutClient(peer), FOREIGN_SESSION)
  }

  forbidden(peer: Peer, deed: 'publish' | 'subscribe', topic: string): void {
    this.#complaints.say(deed, aboutClient(peer), `a client may not ${deed} to ${topic}`)
  }

  /** A connection has ended. @param error null: in the ordinary way */
  ended(peer: Peer, error: Error | null): void {
    if (error === null || error instanceof AccountChanged) return
    const about = aboutClient(peer)
    if (error instanceof DeafClient) {
      this.deaf = { client: peer.clientId, atMs: performance.now(), dropped: error.missed }
      this.#complaints.say('deaf', about, `${peer.clientId} ${NOT_READING}`)
    } else if (!(error instanceof ProtocolFault)) {
      this.#log.error({ err: error, ...about }, 'an error in the broker ended the connection of a client')
    } else if (!UNSAID.has(error.reason)) {
      const kind = error instanceof PacketTooLarge ? 'size' : 'protocol'
      this.#complaints.say(kind, about, `a client was disconnected: ${error.message}`)
    }
  }
}
