import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { Aedes, type Client } from 'aedes'
import type { Log } from '../telemetry/log.ts'
import { Access, AccountChanged } from './access.ts'
import { AccountStore } from './account-store.ts'
import { aboutClient, ClientComplaints } from './client-complaints.ts'
import { Control } from './control.ts'
import type { Credentials } from './credentials.ts'
import { closeServer, listen } from './listen.ts'
import { login } from './login.ts'
import { isLoopback } from './loopback.ts'
import { RECEIVE_MAXIMUM } from './mqtt5/connack.ts'
import { Mqtt5Connection } from './mqtt5/connection.ts'
import { PropertyCarrier } from './mqtt5/property-carrier.ts'
import { guardPacketSize, PacketTooLarge } from './packet-size-guard.ts'
import { whenProtocolIsKnown } from './protocol-level.ts'
import { ReadGate } from './read-gate.ts'
import { refuseEmptyId } from './refuse-empty-id.ts'
import { authorizePublish } from './refused-publish.ts'
import { RetainHandling } from './retain-handling.ts'
import { SessionLifetimes } from './session-lifetimes.ts'
import { SessionStore } from './session-store.ts'
import { webSocketServer } from './websocket-server.ts'

export interface EmbeddedBrokerOptions {
  readonly host: string
  /** 0: any free one; so for `wsPort`. */
  readonly port: number
  readonly wsPort: number
  /** The operator's. null: whoever can connect may do everything. Only on loopback. */
  readonly credentials: Credentials | null
  /** Keeps the accounts of devices; null: they end with the process. */
  readonly accountsFile: string | null
  readonly maxPacketBytes: number
  /** Told of each message that a client may publish; the milliseconds for which nothing more is read from it. */
  readonly chargePublish?: (topic: string, bytes: number) => number
  readonly log: Log
}

export interface EmbeddedBroker {
  readonly port: number
  readonly wsPort: number
  /** Messages that wait for a session, or for its PUBACK. */
  readonly waiting: number
  stop(): Promise<void>
}

/** About 100,000 events, an hour of thirty a second. */
const MAX_SESSION_BYTES = 64 * 1024 * 1024

/** What a connection does in the ordinary course of its life: nothing to tell a person about. */
const ORDINARY = new Set(['connection closed', 'keep alive timeout', 'connect did not arrive in time'])

/** For CONNECT, from the first byte of a connection. */
const CONNECT_TIMEOUT_MS = 10_000

/**
 * The broker of `qs up`: aedes, over TCP and WebSocket. It speaks MQTT 3.1 and 3.1.1; an MQTT 5 client is
 * translated for it (`mqtt5/connection.ts`). What MQTT 5 has and this broker has not: topic aliases, shared
 * subscriptions, subscription identifiers and enhanced authentication are refused; message expiry, will delay
 * and the properties of a will are ignored, in durable sessions also retain as published and retain
 * handling 1.
 *
 * With credentials, who may do what is decided as by a Mosquitto with dynamic security: `Access`, and `Control`
 * for the commands that change it.
 *
 * Retained messages, sessions and their queues are in memory and end with the process. That is within the
 * contract: what was not acked by a device ack is still on the device.
 *
 * @throws on a host that others can reach, without credentials; where a port is taken; where the accounts cannot
 * be read
 */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  const { host, credentials, accountsFile, maxPacketBytes, chargePublish, log } = options
  if (credentials === null && !isLoopback(host)) {
    throw new Error(
      `the broker does not listen on ${host} without credentials, where anybody in the network could ` +
        'publish and read. Set MQTT_USERNAME and MQTT_PASSWORD.',
    )
  }
  const complaints = new ClientComplaints(log)
  const onFull = (client: string) =>
    complaints.say('full', { client }, `the queue of session ${client} is full: messages pass it by`)
  const store = new SessionStore({ maxBytesPerSession: MAX_SESSION_BYTES, onFull })
  const lifetimes = new SessionLifetimes(store)
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
  const onPublish = ({ conn }: Client, topic: string, bytes: number) =>
    readGate.pause(conn as Duplex, chargePublish?.(topic, bytes) ?? 0)
  const broker = await Aedes.createBroker({
    connectTimeout: CONNECT_TIMEOUT_MS,
    preConnect: refuseEmptyId,
    authenticate: login({ access, complaints, lifetimes }),
    authorizeSubscribe: (client, subscription, done) => {
      retainHandling.decide(client, subscription)
      const isGranted = access.maySubscribe(client, subscription.topic)
      if (!isGranted) {
        const { topic } = subscription
        complaints.say('subscribe', aboutClient(client), `a client may not subscribe to ${topic}`)
      }
      done(null, isGranted ? subscription : null)
    },
    authorizePublish: authorizePublish({ access, complaints, onPublish }),
    authorizeForward: access.forward,
    maxInflightInbound: RECEIVE_MAXIMUM,
  })
  for (const part of [store, lifetimes, retainHandling, access, control]) part.attach(broker)
  // A fault of its persistence. That is memory and has none, but an error unheard would end the process.
  const faults: EventEmitter = broker
  faults.on('error', (error: Error) => log.error(error, 'the embedded broker reports an error'))
  const clientError = (client: Client, error: Error) => complain(complaints, client, error)
  broker.on('clientError', clientError)
  broker.on('connectionError', clientError)

  const connections = new Set<Duplex>()
  const accept = (connection: Duplex, request?: IncomingMessage) => {
    connections.add(connection)
    connection.once('close', () => connections.delete(connection))
    whenProtocolIsKnown(connection, {
      timeoutMs: CONNECT_TIMEOUT_MS,
      handOver: (level) => serve(connection, { level, request }),
    })
  }
  const mqtt5 = { maxPacketBytes, carrier: new PropertyCarrier(), isStopping: () => broker.closed }
  // From the network inwards: packet sizes, before anything is gathered or anybody is logged in; MQTT 5 to
  // 3.1.1; aedes, with the login.
  const serve = (
    network: Duplex,
    { level, request }: { level: number | null; request?: IncomingMessage | undefined },
  ) => {
    const connection = level === 5 ? new Mqtt5Connection(network, mqtt5) : network
    guardPacketSize(network, maxPacketBytes, (error) => connection.destroy(error))
    readGate.guard(network, connection)
    const client = broker.handle(connection, request)
    if (connection instanceof Mqtt5Connection) connection.attach(client)
  }
  // Without Nagle's algorithm: a device ack is one small packet that somebody waits for.
  const tcp = createServer({ noDelay: true }, (socket) => accept(socket))
  const onError = (error: Error) => log.error(error, 'the embedded broker cannot accept connections')
  const webSocket = webSocketServer({
    maxPacketBytes,
    anyOrigin: credentials !== null,
    onConnection: accept,
    onError,
  })

  const stop = async () => {
    const closed = Promise.all([closeServer(tcp), closeServer(webSocket)])
    await new Promise<void>((resolve) => broker.close(resolve))
    for (const connection of connections) connection.destroy()
    webSocket.closeAllConnections()
    await closed
  }
  try {
    const port = await listen(tcp, { host, port: options.port, setting: 'MQTT_PORT' })
    const wsPort = await listen(webSocket, { host, port: options.wsPort, setting: 'MQTT_WS_PORT' })
    tcp.on('error', onError)
    return {
      port,
      wsPort,
      get waiting() {
        return store.waiting
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
  // The network's errors have a code; a refusal was said already; a change of its account somebody asked for.
  if (error instanceof AccountChanged) return
  if (code?.startsWith('E') || returnCode !== undefined || ORDINARY.has(error.message)) return
  const kind = error instanceof PacketTooLarge ? 'size' : 'protocol'
  complaints.say(kind, aboutClient(client), `a client was disconnected: ${error.message}`)
}
