import { CONTROL_TOPIC } from '../../accounts/control-protocol.ts'
import type { BrokerParts } from '../../broker/broker-parts.ts'
import { ClientConnection } from '../../broker/client-connection.ts'
import { DeafClient } from '../../broker/liveness.ts'
import { type Message, NO_FORWARDED } from '../../broker/message.ts'
import { Router } from '../../broker/router.ts'
import type { ClientPublish, Peer, Rules, Spent } from '../../broker/rules.ts'
import { SessionLimits } from '../../broker/session-limits.ts'
import { Sessions } from '../../broker/sessions.ts'
import type { CertificateFiles } from '../../certificates/certificate-files.ts'
import { readServerCertificate, type ServerCertificate } from '../../certificates/server-certificate.ts'
import { watchCertificate } from '../../certificates/watch-certificate.ts'
import { ConfigError } from '../../config/load.ts'
import { isLoopback } from '../../endpoints/loopback.ts'
import type { DirectIntake, Replies } from '../../intake/direct-intake.ts'
import { PacketTooLarge } from '../../mqtt/frames.ts'
import { ProtocolFault, REASON } from '../../mqtt/reasons.ts'
import { SystemClock } from '../../pipeline/clock.ts'
import type { Log } from '../../telemetry/log.ts'
import { Access, AccountChanged } from './access.ts'
import { AccountStore } from './account-store.ts'
import { type Arrived, type BoundPorts, BrokerListeners, type ListenAddress } from './broker-listeners.ts'
import { aboutClient, ClientComplaints } from './client-complaints.ts'
import type { ConnectionLimitsOptions, RefusedRecord } from './connection-limits.ts'
import { Control } from './control.ts'
import type { Credentials } from './credentials.ts'
import { login } from './login.ts'
import { OpenConnections } from './open-connections.ts'
import { SocketLink } from './socket-link.ts'

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

export interface EmbeddedBrokerOptions extends ListenAddress {
  /** The same over TLS. Default: none. */
  readonly tls?: (ListenAddress & CertificateFiles) | null
  /** The operator's credentials. null: every client may do everything, only on loopback. */
  readonly credentials: Credentials | null
  /** File with the device accounts; null: in memory only. */
  readonly accountsFile: string | null
  readonly maxPacketBytes: number
  /**
   * Called for what a client sends. Returns for how many milliseconds nothing more is read from it.
   *
   * @param topic null: the client may not publish to it, or it is no message; this counts only for the client
   */
  readonly charge?: (clientId: string, topic: string | null, spent: Spent) => number
  /** Called for those of them that the intake does not take, with their content. */
  readonly onPublish?: (clientId: string, publish: ClientPublish) => void
  /** Default: unlimited. */
  readonly limits?: ConnectionLimitsOptions
  /** Durable sessions per account. Default: unlimited. */
  readonly maxSessionsPerAccount?: number
  /** Takes the messages on event topics, and answers them. Clients are then admitted after `open`. */
  readonly events?: {
    readonly intake: DirectIntake
    readonly isEvents: (topic: string) => boolean
  }
  readonly log: Log
}

export interface EmbeddedBroker extends Replies, BoundPorts {
  /** When the certificate in use expires; null: no TLS. */
  readonly certificateEndMs: number | null
  /** Messages queued for a session or awaiting its PUBACK. */
  readonly waiting: number
  /** Messages dropped because a client did not read or a session's queue was full. */
  readonly dropped: number
  /** The latest client disconnected because it did not read. */
  readonly deaf: DeafRecord | null
  /** Connections refused since the start, and the latest of them. */
  readonly refused: { readonly refused: number; readonly latest: RefusedRecord | null }
  /** Durable sessions refused since the start, and the latest of them. */
  readonly sessionsRefused: { readonly refused: number; readonly latest: QuotaRecord | null }
  /** Messages that were not retained since the start, because the store is full, and the latest of them. */
  readonly unretained: { readonly count: number; readonly latest: UnretainedRecord | null }
  /** With `events`, admits clients. Until then, the ports are bound and connections are closed. */
  open(): void
  /** Admits no further clients. */
  shut(): void
  stop(): Promise<void>
}

const NO_LIMITS = { maxConnections: Number.POSITIVE_INFINITY, maxPerAddress: Number.POSITIVE_INFINITY }
/** Queue limits of one client's session, of the sessions of one account, and of all sessions together. */
const SESSION_BYTES = 8 * 1024 * 1024
const ACCOUNT_BYTES = 32 * 1024 * 1024
const ALL_SESSIONS_BYTES = 64 * 1024 * 1024
const LOOK_MS = 1_000

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

/**
 * The broker of `qs up`, over TCP and WebSocket, with and without TLS: MQTT 3.1, 3.1.1 and 5. The protocol and its state are in `broker/`,
 * the way of events in `intake/`; this folder has sockets, accounts and limits.
 *
 * With credentials, rights work as in a Mosquitto with dynamic security: `Access`, and `Control` for the commands that
 * change them.
 *
 * Retained messages, sessions and their queues are in memory and end with the process.
 *
 * @throws without credentials on a host other than loopback; if a port is in use; if the accounts or the certificate
 * cannot be read
 */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  const { credentials, accountsFile, maxPacketBytes, events, log, tls = null } = options
  const open = [options.host, tls?.host ?? options.host].find((host) => !isLoopback(host))
  if (credentials === null && open !== undefined) {
    throw new ConfigError([
      `MQTT_USERNAME and MQTT_PASSWORD are needed to listen on ${open}: anyone in the network could publish and read`,
    ])
  }
  let certificate = tls === null ? null : readServerCertificate(tls)
  const clock = new SystemClock()
  const complaints = new ClientComplaints(log)
  const onFull = (client: string) =>
    complaints.say(
      'full',
      { client },
      `the queue of session ${client}, of its account or of all sessions is full: its messages are dropped`,
    )
  const limits = new SessionLimits({
    ...{ maxBytes: SESSION_BYTES, maxAccountBytes: ACCOUNT_BYTES, maxAllBytes: ALL_SESSIONS_BYTES },
    onFull,
  })
  const unretained = { count: 0, latest: null as UnretainedRecord | null }
  const onUnretained = ({ from: client, topic }: Pick<Message, 'from' | 'topic'>) => {
    unretained.count++
    unretained.latest = { client, topic, atMs: performance.now() }
    complaints.say('retained', { client, topic }, TOO_MUCH_RETAINED)
  }
  const router = new Router(onUnretained)
  const maxPerAccount = options.maxSessionsPerAccount ?? Number.POSITIVE_INFINITY
  const sessions = new Sessions({ router, limits, clock, maxPerAccount })
  const accounts = new AccountStore(accountsFile)
  const access = new Access(credentials, accounts)
  const control = new Control({
    store: accounts,
    access,
    operator: credentials?.username ?? null,
    endSessions: (account) => {
      for (const clientId of sessions.idsOf(account)) {
        connections.get(clientId)?.close(new AccountChanged())
        sessions.end(clientId)
      }
    },
  })
  let deaf: DeafRecord | null = null
  const sessionsRefused = { refused: 0, latest: null as QuotaRecord | null }
  const rules = rulesOf({
    ...{ options, access, complaints, onUnretained },
    onQuota: (peer) => {
      const account = access.accountOf(peer)
      sessionsRefused.refused++
      sessionsRefused.latest = { client: peer.clientId, account, atMs: performance.now() }
      complaints.say('sessions', { ...aboutClient(peer), account }, TOO_MANY_SESSIONS)
    },
  })
  const connections = new OpenConnections({
    onOpened: (peer) => access.entered(peer),
    onEnded: (peer, error) => {
      access.left(peer)
      if (error instanceof DeafClient)
        deaf = { client: peer.clientId, atMs: performance.now(), dropped: error.missed }
      complain({ complaints, log }, peer, error)
    },
  })
  const publishAll = (message: Message) => router.publish(message)
  const parts: BrokerParts = {
    ...{ sessions, router, rules, clock, maxPacketBytes, connections },
    intake: events?.intake ?? null,
    isEvents: events?.isEvents ?? (() => false),
    control: new Map([[CONTROL_TOPIC, control.answer]]),
    publishWill: (message, origin) => {
      publishAll(message)
      if (!events?.isEvents(message.topic)) return
      const { topic, payload } = message
      events.intake.takeWill({ topic, payload: Buffer.from(payload) }, origin, clock.now())
    },
  }
  const serve = ({ stream, network, onConnect, onLogin }: Arrived) => {
    const link = new SocketLink(stream, network, onLogin)
    const connection = new ClientConnection(link, parts)
    connections.add(connection)
    let isConnecting = true
    link.read((piece) => {
      connection.receive(piece)
      if (!isConnecting || !connection.hasConnect) return
      isConnecting = false
      onConnect()
    })
    stream.on('drain', () => connection.drained())
    if (network !== stream) network.on('drain', () => connection.drained())
    stream.on('error', () => connection.lost())
    stream.on('end', () => connection.lost())
    stream.on('close', () => {
      connection.lost()
      connections.remove(connection)
    })
  }
  const listeners = new BrokerListeners({
    ...options,
    limits: options.limits ?? NO_LIMITS,
    tls: tls === null || certificate === null ? null : { ...tls, certificate },
    anyOrigin: credentials !== null,
    clock,
    complaints,
    onConnection: serve,
  })
  const onChange = (changed: ServerCertificate) => {
    certificate = changed
    listeners.useCertificate(changed)
  }
  const stopWatching = tls === null ? () => {} : watchCertificate(tls, { onChange, log })
  // After the sockets of this turn are read: when the process has stood still, a PINGREQ waits in them.
  const stopLooking = clock.every(LOOK_MS, () => setImmediate(() => connections.look(clock.monotonicMs())))
  const stop = async () => {
    stopLooking()
    stopWatching()
    const closed = listeners.close()
    connections.closeAll(new ProtocolFault(REASON.shuttingDown, 'the broker stops'))
    sessions.stop()
    await connections.allGone()
    listeners.destroyConnections()
    await closed
  }
  try {
    const ports = await listeners.listen()
    if (events === undefined) listeners.open()
    return {
      ...ports,
      get certificateEndMs() {
        return certificate?.validToMs ?? null
      },
      get waiting() {
        return limits.waiting
      },
      get dropped() {
        return limits.dropped
      },
      get deaf() {
        return deaf
      },
      refused: listeners.refused,
      sessionsRefused,
      unretained,
      isHeard: (topic) => router.isHeard(topic),
      publish: (topic, payload, qos) => {
        const terms = { retain: false, forwarded: NO_FORWARDED, from: null, expiresAtMs: null }
        publishAll({ topic, payload, qos, ...terms })
      },
      open: () => listeners.open(),
      shut: () => listeners.shut(),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

interface RulesParts {
  readonly options: EmbeddedBrokerOptions
  readonly access: Access
  readonly complaints: ClientComplaints
  readonly onQuota: (peer: Peer) => void
  readonly onUnretained: (message: Pick<Message, 'from' | 'topic'>) => void
}

function rulesOf({ options, access, complaints, onQuota, onUnretained }: RulesParts): Rules {
  const { charge, onPublish } = options
  return {
    login: login(access, complaints),
    get revision() {
      return access.revision
    },
    mayPublish: (peer, topic) => access.mayPublish(peer, topic),
    maySubscribe: (peer, filter) => access.maySubscribe(peer, filter),
    mayReceive: (peer, topic) => access.mayReceive(peer, topic),
    published: (peer, publish) => {
      const { topic, isAllowed, isEvents, bytes } = publish
      if (!isAllowed || !isEvents) onPublish?.(peer.clientId, publish)
      return charge?.(peer.clientId, isAllowed ? topic : null, { messages: 1, bytes }) ?? 0
    },
    charge: (peer, spent) => charge?.(peer.clientId, null, spent) ?? 0,
    refused: (peer, what, topic) => {
      if (what === 'sessions') return onQuota(peer)
      if (what === 'retained') return onUnretained({ from: peer.clientId, topic })
      if (what === 'client id') return complaints.say(what, aboutClient(peer), FOREIGN_SESSION)
      const deed = what === 'publish' ? 'publish' : 'subscribe'
      complaints.say(what, aboutClient(peer), `a client may not ${deed} to ${topic}`)
    },
  }
}

interface Complaint {
  readonly complaints: ClientComplaints
  readonly log: Log
}

function complain({ complaints, log }: Complaint, peer: Peer, error: Error | null): void {
  if (error === null || error instanceof AccountChanged) return
  if (error instanceof DeafClient)
    return complaints.say('deaf', aboutClient(peer), `${peer.clientId} ${NOT_READING}`)
  if (!(error instanceof ProtocolFault))
    return log.error(
      { err: error, ...aboutClient(peer) },
      'an error in the broker ended the connection of a client',
    )
  if (UNSAID.has(error.reason)) return
  const kind = error instanceof PacketTooLarge ? 'size' : 'protocol'
  complaints.say(kind, aboutClient(peer), `a client was disconnected: ${error.message}`)
}
