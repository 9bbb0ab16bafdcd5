import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { Aedes, type Client } from 'aedes'
import { ConfigError } from '../../config/load.ts'
import { isLoopback } from '../../endpoints/loopback.ts'
import type { Log } from '../../telemetry/log.ts'
import { Access, AccountChanged } from './access.ts'
import { AccountStore } from './account-store.ts'
import { type Arrived, BrokerListeners } from './broker-listeners.ts'
import { aboutClient, ClientComplaints } from './client-complaints.ts'
import type { ConnectionLimitsOptions, RefusedRecord } from './connection-limits.ts'
import { Control } from './control.ts'
import type { Credentials } from './credentials.ts'
import { Draining } from './draining.ts'
import { isInProcess } from './in-process.ts'
import { IngestSession } from './ingest-session.ts'
import { KnownSessions } from './known-sessions.ts'
import { login } from './login.ts'
import { RECEIVE_MAXIMUM } from './mqtt5/connack.ts'
import { Mqtt5Connection } from './mqtt5/connection.ts'
import { PropertyCarrier } from './mqtt5/property-carrier.ts'
import { DeafClient, type DeafRecord, Outlets } from './outlets.ts'
import { PacketTooLarge } from './packet-size-guard.ts'
import { ReadGate } from './read-gate.ts'
import { refuseEmptyId } from './refuse-empty-id.ts'
import { authorizePublish, type ClientPublish } from './refused-publish.ts'
import { RetainHandling } from './retain-handling.ts'
import { keepRetainedInOrder } from './retained-order.ts'
import { SessionLifetimes } from './session-lifetimes.ts'
import { type QuotaRecord, SessionQuota } from './session-quota.ts'
import { SessionStore } from './session-store.ts'
import { WillDelays } from './will-delays.ts'

export interface EmbeddedBrokerOptions {
  readonly host: string
  /** 0 picks a free port; the same holds for `wsPort`. */
  readonly port: number
  readonly wsPort: number
  /** The operator's credentials. null: every client may do everything, only on loopback. */
  readonly credentials: Credentials | null
  /** File with the device accounts; null: in memory only. */
  readonly accountsFile: string | null
  readonly maxPacketBytes: number
  /**
   * Called for each message that a client publishes. Returns for how many milliseconds nothing more is read from it.
   *
   * @param topic null: the client may not publish to it, so the message counts only for the client
   */
  readonly chargePublish?: (clientId: string, topic: string | null, bytes: number) => number
  /** Called for the same messages, with their content. */
  readonly onPublish?: (clientId: string, publish: ClientPublish) => void
  /** Default: unlimited. */
  readonly limits?: ConnectionLimitsOptions
  /** Durable sessions per account. Default: unlimited. */
  readonly maxSessionsPerAccount?: number
  /** The client id of the ingester in this process. It connects with `connect`; others are admitted after `open`. */
  readonly ingesterId?: string
  readonly log: Log
}

export interface EmbeddedBroker {
  readonly port: number
  readonly wsPort: number
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
  /** A connection within this process, possible even before `open`. */
  connect(): Duplex
  /** With an `ingesterId`, admits clients. Until then, the ports are bound and connections are closed. */
  open(): void
  /**
   * Call it before the ingester stops: accepts no more messages from clients, which still get their device acks.
   * Settles when the ingester has acknowledged all its messages, or none for `stallMs`.
   */
  drain(stallMs: number): Promise<void>
  /** Messages with a PUBACK that the ingester has not acknowledged. */
  readonly unsettled: number
  stop(): Promise<void>
}

const NO_LIMITS = { maxConnections: Number.POSITIVE_INFINITY, maxPerAddress: Number.POSITIVE_INFINITY }

/** About 100,000 events: an hour at 30 per second. */
const INGESTER_SESSION_BYTES = 64 * 1024 * 1024
/** Queue limits of one client's session, and of all sessions together. */
const SESSION_BYTES = 8 * 1024 * 1024
const ALL_SESSIONS_BYTES = 64 * 1024 * 1024

const NOT_READING =
  'did not read its messages for 5 s and was disconnected. Messages with QoS 0 are lost to it; QoS 1 waits in its session'

/** Normal ends of a connection, which are not logged. */
const ORDINARY = new Set(['connection closed', 'keep alive timeout', 'connect did not arrive in time'])

/**
 * The broker of `qs up`: aedes, over TCP and WebSocket. It speaks MQTT 3.1 and 3.1.1; MQTT 5 clients are translated
 * (`mqtt5/connection.ts`). It does not support topic aliases, shared subscriptions, subscription identifiers and
 * enhanced authentication of MQTT 5, as CONNACK announces.
 *
 * With credentials, rights work as in a Mosquitto with dynamic security: `Access`, and `Control` for the commands that
 * change them.
 *
 * Retained messages, sessions and their queues are in memory and end with the process. The contract allows that: an
 * event without a device ack is still on the device.
 *
 * @throws without credentials on a host other than loopback; if a port is in use; if the accounts cannot be read
 */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  const { host, credentials, accountsFile, maxPacketBytes, chargePublish, ingesterId, log } = options
  if (credentials === null && !isLoopback(host)) {
    throw new ConfigError([
      `MQTT_USERNAME and MQTT_PASSWORD are needed to listen on ${host}: anyone in the network could publish and read`,
    ])
  }
  const complaints = new ClientComplaints(log)
  const onFull = (client: string) =>
    complaints.say('full', { client }, `the queue of session ${client} is full: its messages are dropped`)
  const maxBytesOf = (client: string) => (client === ingesterId ? INGESTER_SESSION_BYTES : SESSION_BYTES)
  const carrier = new PropertyCarrier()
  const detached = (payload: Buffer) => carrier.detached(payload)
  const store = new SessionStore({ maxBytesOf, maxBytes: ALL_SESSIONS_BYTES, onFull, detached })
  const known = new KnownSessions()
  const quota = new SessionQuota(options.maxSessionsPerAccount ?? Number.POSITIVE_INFINITY, (clientId) =>
    known.has(clientId),
  )
  const wills = new WillDelays(carrier)
  const lifetimes = new SessionLifetimes((clientId) => {
    for (const part of [store, known, wills, quota]) part.forget(clientId)
  })
  const retainHandling = new RetainHandling()
  const accounts = new AccountStore(accountsFile)
  const access = new Access(credentials, accounts)
  const control = new Control({
    store: accounts,
    access,
    operator: credentials?.username ?? null,
    endSession: (clientId) => lifetimes.end(clientId),
  })
  const readGate = new ReadGate()
  const outlets = new Outlets({
    store,
    ingesterId,
    mayReceive: (client, topic) => access.mayReceive(client, topic),
    hasExpired: (payload) => carrier.hasExpired(payload),
    onDeaf: (client) => complaints.say('deaf', aboutClient(client), `${client.id} ${NOT_READING}`),
  })
  const ingest =
    ingesterId === undefined ? null : new IngestSession({ clientId: ingesterId, store, readGate })
  const onPublish = (client: Client, publish: ClientPublish) => {
    ingest?.arrived(client)
    if (ours.has(client.conn)) return
    const { topic, isAllowed, payload } = publish
    const pauseMs = chargePublish?.(client.id, isAllowed ? topic : null, payload.length) ?? 0
    readGate.pause(client.conn as Duplex, pauseMs)
    options.onPublish?.(client.id, publish)
  }
  const ours = new WeakSet<object>()
  const draining = new Draining()
  const unsettled = () => store.queueOf(ingesterId ?? '')?.messages ?? 0
  const isImpostor = ({ id, conn }: Client) => id === ingesterId && !ours.has(conn)
  const broker = await Aedes.createBroker({
    // With a limit, a waiting message without subscribers recurses until the stack overflows.
    concurrency: 0,
    preConnect: refuseEmptyId,
    authenticate: login({ access, complaints, lifetimes, quota, isImpostor }),
    authorizeSubscribe: (client, subscription, done) => {
      if (known.isStandIn(subscription)) return done(null, null)
      retainHandling.decide(client, subscription)
      const isGranted = access.maySubscribe(client, subscription.topic)
      if (!isGranted) {
        const { topic } = subscription
        complaints.say('subscribe', aboutClient(client), `a client may not subscribe to ${topic}`)
      }
      done(null, isGranted ? subscription : null)
    },
    authorizePublish: draining.before(
      wills.before(authorizePublish({ access, complaints, onPublish, detached })),
      ({ conn }) => !ours.has(conn),
    ),
    maxInflightInbound: RECEIVE_MAXIMUM,
    ...(ingest !== null && { published: ingest.published }),
  })
  const parts = [store, outlets, known, wills, lifetimes, retainHandling, access, control]
  for (const part of parts) part.attach(broker)
  keepRetainedInOrder(broker)
  ingest?.attach(broker)
  // A persistence error. Persistence is in memory and has none, but an unhandled error would end the process.
  const faults: EventEmitter = broker
  faults.on('error', (error: Error) => log.error(error, 'the embedded broker reports an error'))
  const clientError = (client: Client, error: Error) => complain(complaints, client, error)
  broker.on('clientError', clientError)
  broker.on('connectionError', clientError)

  // From the network inwards: packet sizes, before anything is buffered or logged in; MQTT 5 to 3.1.1; aedes, with the
  // login.
  const mqtt5 = { maxPacketBytes, carrier, isStopping: () => broker.closed }
  const serve = ({ stream, network, level, request, guard }: Arrived) => {
    const connection = level === 5 ? new Mqtt5Connection(stream, mqtt5) : stream
    guard((error) => connection.destroy(error))
    readGate.guard(stream, connection)
    const client = broker.handle(connection, request)
    outlets.add(client, network)
    if (connection instanceof Mqtt5Connection) connection.attach(client)
    if (isInProcess(network)) ours.add(connection)
  }
  const listeners = new BrokerListeners({
    ...options,
    limits: options.limits ?? NO_LIMITS,
    anyOrigin: credentials !== null,
    complaints,
    onConnection: serve,
  })
  const stop = async () => {
    const closed = listeners.close()
    await new Promise<void>((resolve) => broker.close(resolve))
    listeners.destroyConnections()
    await closed
  }
  try {
    const ports = await listeners.listen()
    if (ingest === null) listeners.open()
    return {
      ...ports,
      get waiting() {
        return store.waiting
      },
      get dropped() {
        return outlets.dropped + store.dropped
      },
      get deaf() {
        return outlets.deaf
      },
      refused: listeners.refused,
      sessionsRefused: quota,
      connect: () => listeners.connect(),
      open: () => listeners.open(),
      drain: (stallMs) => {
        listeners.shut()
        return draining.drain({ left: unsettled, stallMs })
      },
      get unsettled() {
        return unsettled()
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function complain(complaints: ClientComplaints, client: Client, error: Error): void {
  const { code, returnCode } = error as { code?: string; returnCode?: number }
  // Not logged: network errors, which have a code; refusals and deaf clients, which are already logged; account
  // changes, which were requested.
  if (error instanceof AccountChanged || error instanceof DeafClient) return
  if (code?.startsWith('E') || returnCode !== undefined || ORDINARY.has(error.message)) return
  const kind = error instanceof PacketTooLarge ? 'size' : 'protocol'
  complaints.say(kind, aboutClient(client), `a client was disconnected: ${error.message}`)
}
