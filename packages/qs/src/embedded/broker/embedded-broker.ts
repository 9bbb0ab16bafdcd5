import { CONTROL_TOPIC } from '../../accounts/control-protocol.ts'
import type { BrokerParts } from '../../broker/broker-parts.ts'
import { ClientConnection } from '../../broker/client-connection.ts'
import { NO_FORWARDED } from '../../broker/message.ts'
import { willPublisher } from '../../broker/publish-will.ts'
import { Router } from '../../broker/router.ts'
import { SessionLimits } from '../../broker/session-limits.ts'
import { Sessions } from '../../broker/sessions.ts'
import type { CertificateFiles } from '../../certificates/certificate-files.ts'
import { readServerCertificate, type ServerCertificate } from '../../certificates/server-certificate.ts'
import { watchCertificate } from '../../certificates/watch-certificate.ts'
import { ConfigError } from '../../config/load.ts'
import { isLoopback } from '../../endpoints/loopback.ts'
import type { DirectIntake, Replies } from '../../intake/direct-intake.ts'
import { ProtocolFault, REASON } from '../../mqtt/reasons.ts'
import { SystemClock } from '../../pipeline/clock.ts'
import type { Log } from '../../telemetry/log.ts'
import { Access, AccountChanged } from './access.ts'
import { AccountStore } from './account-store.ts'
import { type Arrived, type BoundPorts, BrokerListeners, type ListenAddress } from './broker-listeners.ts'
import { type BrokerRulesOptions, brokerRules } from './broker-rules.ts'
import { ClientComplaints } from './client-complaints.ts'
import type { ConnectionLimitsOptions, RefusedRecord } from './connection-limits.ts'
import { Control } from './control.ts'
import type { Credentials } from './credentials.ts'
import { type DeafRecord, Incidents } from './incidents.ts'
import { login } from './login.ts'
import { OpenConnections } from './open-connections.ts'
import { SocketLink } from './socket-link.ts'

export interface EmbeddedBrokerOptions extends ListenAddress, BrokerRulesOptions {
  /** The same over TLS. Default: none. */
  readonly tls?: (ListenAddress & CertificateFiles) | null
  /** The operator's credentials. null: every client may do everything, only on loopback. */
  readonly credentials: Credentials | null
  /** File with the device accounts; null: in memory only. */
  readonly accountsFile: string | null
  readonly maxPacketBytes: number
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
  readonly sessionsRefused: Incidents['sessionsRefused']
  /** Messages that were not retained since the start, because the store is full, and the latest of them. */
  readonly unretained: Incidents['unretained']
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

/**
 * The broker of `qs up`, over TCP and WebSocket, with and without TLS: MQTT 3.1, 3.1.1 and 5. The protocol and its state
 * are in `broker/`, the way of events in `intake/`; this folder has sockets, accounts and limits.
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
  const incidents = new Incidents(complaints, log)
  const limits = new SessionLimits({
    ...{ maxBytes: SESSION_BYTES, maxAccountBytes: ACCOUNT_BYTES, maxAllBytes: ALL_SESSIONS_BYTES },
    onFull: (client) => incidents.queueFull(client),
  })
  const router = new Router(({ from, topic }) => incidents.notRetained(from, topic))
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
  const rules = brokerRules(options, { login: login(access, complaints), access, incidents })
  const connections = new OpenConnections({
    onOpened: (peer) => access.entered(peer),
    onEnded: (peer, error) => {
      access.left(peer)
      incidents.ended(peer, error)
    },
  })
  const { intake = null, isEvents = () => false } = events ?? {}
  const parts: BrokerParts = {
    ...{ sessions, router, rules, clock, maxPacketBytes, connections, intake, isEvents },
    control: new Map([[CONTROL_TOPIC, control.answer]]),
    publishWill: willPublisher({ router, intake, isEvents, clock }),
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
        return incidents.deaf
      },
      refused: listeners.refused,
      sessionsRefused: incidents.sessionsRefused,
      unretained: incidents.unretained,
      isHeard: (topic) => router.isHeard(topic),
      publish: (topic, payload, qos) => {
        const terms = { retain: false, forwarded: NO_FORWARDED, from: null, expiresAtMs: null }
        router.publish({ topic, payload, qos, ...terms })
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
