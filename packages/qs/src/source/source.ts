import type { Duplex } from 'node:stream'
import { brokerPlace, brokerUrls } from '@qs-telemetry/protocol'
import { hasCode, QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { pauseMs } from '../pipeline/backoff.ts'
import type { Intake, IntakeStatus } from '../pipeline/intake.ts'
import { delay } from '../pipeline/promises.ts'
import type { Log } from '../telemetry/log.ts'
import { BrokerConnection, type SessionFacts, type SessionOptions } from './broker-connection.ts'
import { Deliveries, type DeliveriesOptions } from './deliveries.ts'
import type { Received } from './inbound-messages.ts'
import type { SocketOptions } from './open-socket.ts'
import { subscribeIds } from './packet-ids.ts'
import { PublishQueue } from './publish-queue.ts'
import { Quarantine, type Quarantined } from './quarantine.ts'
import { MAX_TOPIC_BYTES } from './transmit.ts'
import { Unreleased } from './unreleased.ts'

/** Opens the connection to the broker. */
export type OpenSocket = (options: SocketOptions) => Promise<Duplex>

export interface SourceOptions
  extends Omit<SessionOptions, 'password' | 'protocolVersion' | 'handshakeTimeoutMs' | 'nextSubscribeId'>,
    DeliveriesOptions {
  /** Several nodes of one broker, separated by commas, are tried in turn. */
  readonly url: string
  readonly caFile: string | null
  /** Called for each connection: the password may be in a file that changes. */
  readonly password: () => string | null
  readonly openSocket: OpenSocket
  /** A number in [0, 1), for the jitter between attempts. */
  readonly random: () => number
  /** When an ingester with this client id last stored something; null: never, or unknown. */
  readonly lastStored?: () => Promise<Date | null>
  readonly log: Log
  /** Called for an error that retrying does not fix: a refused user, another client with the same id. */
  readonly onFailure: (error: QsError) => void
}

/** The limit if the broker states none: more than twice the largest message that it may send by default. */
const DEFAULT_MAX_PAYLOAD_BYTES = 2 * 1024 * 1024
/** For the header and topic of a published message; a topic of a thousand characters is unusual. */
const PACKET_OVERHEAD_BYTES = 1024
/** A broker with a smaller limit could not carry a device ack. */
const MIN_PAYLOAD_BYTES = 256
const CONNECT_TIMEOUT_MS = 3_000
/** After a connection that lasted this long the backoff starts over. */
const STEADY_MS = 5_000

/**
 * MQTT input: a durable session that hands on each message as a delivery, and answers it when it is settled.
 *
 * It connects and reconnects as long as it runs; the broker keeps the session and redelivers unanswered messages.
 * Deliveries of an ended connection are settled like all others, but no answer is sent.
 *
 * While the database is slow it stops reading (`Deliveries`). After a lost connection it does not reconnect until half
 * of the high watermark is settled: a new connection would redeliver everything that already waits here, and then add
 * as much again.
 *
 * It tries MQTT 5 first; after a broker that does not support it, 3.1.1, alternating until one works.
 */
export class Source implements Intake {
  readonly #options: SourceOptions
  readonly #publishQueue = new PublishQueue()
  readonly #unreleased = new Unreleased()
  readonly #nextSubscribeId = subscribeIds()
  readonly #quarantine: Quarantine
  readonly #stopping = new AbortController()
  readonly #deliveries: Deliveries
  #connection: BrokerConnection | null = null
  #protocolVersion: 4 | 5 = 5
  #node = 0
  #isOpen = false
  #isDraining = false
  #connects = 0
  #sessionsLost = 0
  #latestLoss: string | null = null
  #maxPayloadBytes = DEFAULT_MAX_PAYLOAD_BYTES
  #ended: Promise<void> = Promise.resolve()
  #onFirstOpen: (() => void) | null = null

  constructor(options: SourceOptions) {
    this.#options = options
    this.#quarantine = new Quarantine(options.clock)
    this.#deliveries = new Deliveries(options)
  }

  get status(): IntakeStatus {
    return {
      isConnected: this.#isOpen,
      isPaused: this.#deliveries.isPaused,
      unsettledMessages: this.#deliveries.messages,
      unsettledBytes: this.#deliveries.bytes,
      reconnects: Math.max(0, this.#connects - 1),
      latestLoss: this.#latestLoss,
      quarantined: this.#quarantine.latest,
      sessionsLost: this.#sessionsLost,
      publishesGivenUp: this.#publishQueue.givenUp,
      qos0Dropped: null,
      willsDropped: null,
    }
  }

  /** Resolves on the first connection. */
  start(): Promise<void> {
    this.#ended = this.#run()
    return new Promise((resolve) => {
      this.#onFirstOpen = resolve
    })
  }

  get maxPayloadBytes(): number {
    return this.#maxPayloadBytes
  }

  /** With QoS 0 and no connection the message is lost, as is the PUBACK: the message that it answers is redelivered. */
  publish(topic: string, payload: string, qos: 0 | 1): void {
    // With a long device id the template can exceed the maximum topic length.
    if (topic.length * 3 > MAX_TOPIC_BYTES && Buffer.byteLength(topic) > MAX_TOPIC_BYTES) return
    if (qos === 1) this.#publishQueue.add(topic, payload)
    else this.#connection?.publish(topic, payload)
  }

  /** Only the broker knows its subscribers. */
  isHeard(): boolean {
    return true
  }

  /** Takes no new messages and waits until all are settled and published. The caller limits the time. */
  async drain(): Promise<void> {
    this.#isDraining = true
    await this.#deliveries.untilIdle()
    const { signal } = this.#stopping
    while (this.#connection !== null && this.#publishQueue.size > 0 && !signal.aborted) {
      await delay(this.#options.clock, 5, signal).catch(() => {})
    }
  }

  /** Disconnects. Unsettled messages stay with the broker. */
  async stop(): Promise<void> {
    this.#isDraining = true
    this.#stopping.abort()
    await this.#connection?.close()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { log, onFailure, clientId, clock, random } = this.#options
    for (let failures = 0; !this.#stopping.signal.aborted; failures++) {
      await this.#untilLow()
      if (this.#stopping.signal.aborted) return
      const start = clock.monotonicMs()
      const { reason, wasOpen } = await this.#connectOnce()
      const tookMs = clock.monotonicMs() - start
      const lastedMs = wasOpen ? tookMs : 0
      if (this.#stopping.signal.aborted) return
      this.#latestLoss = reason.problem
      if (hasCode(reason, 'BROKER_ENDED_LOGIN')) this.#protocolVersion = this.#protocolVersion === 5 ? 4 : 5
      // The same node again, with the other version, before the next one.
      if (!hasCode(reason, 'BROKER_ENDED_LOGIN') || this.#protocolVersion === 5) this.#node++
      // A refusal on the first connect is a wrong set-up. Later it may be a temporary state of the broker.
      if (!reason.entry.retryable && (this.#connects === 0 || wasOpen)) return onFailure(reason)
      if (lastedMs >= STEADY_MS) failures = 0
      if ((failures & (failures + 1)) === 0) {
        const hint = wasOpen && failures > 0 ? `. Does another client use the client id ${clientId}?` : ''
        log.warn(
          { failures: failures + 1, reason: reason.problem + hint, code: reason.code },
          'No connection to the broker; trying again',
        )
      }
      const triedMs = wasOpen ? 0 : tookMs
      await delay(clock, pauseMs(failures, { triedMs, random }), this.#stopping.signal).catch(() => {})
    }
  }

  /** Connects, waits for the end of the connection, and returns its reason. */
  async #connectOnce(): Promise<{ readonly reason: QsError; readonly wasOpen: boolean }> {
    let connection: BrokerConnection | null = null
    try {
      const { caFile, openSocket } = this.#options
      const socket = await openSocket({
        url: this.#url,
        caFile,
        timeoutMs: CONNECT_TIMEOUT_MS,
        signal: this.#stopping.signal,
      })
      if (this.#stopping.signal.aborted) socket.destroy()
      const options = {
        ...this.#options,
        password: this.#options.password(),
        protocolVersion: this.#protocolVersion,
        handshakeTimeoutMs: CONNECT_TIMEOUT_MS,
        nextSubscribeId: this.#nextSubscribeId,
        unreleased: this.#unreleased,
        quarantine: this.#quarantine,
      }
      const current = new BrokerConnection(socket, options, {
        onMessage: (received) => this.#deliver(received),
        onPuback: (packetId) => this.#publishQueue.acknowledged(packetId),
        onRefused: ({ problem, code }) =>
          this.#options.log.warn(
            { reason: problem, code },
            'The subscription of the resumed session stays as it is; asking again in a minute',
          ),
      })
      connection = current
      this.#connection = current
      const facts = await current.open()
      this.#onOpen(current, facts)
      return { reason: await current.closed, wasOpen: true }
    } catch (error) {
      return {
        reason: error instanceof QsError ? error : new QsError('BROKER_UNREACHABLE', reasonOf(error)),
        wasOpen: false,
      }
    } finally {
      if (this.#connection === connection) this.#connection = null
      this.#isOpen = false
      this.#deliveries.disconnected()
      this.#publishQueue.disconnected()
    }
  }

  #onOpen(connection: BrokerConnection, facts: SessionFacts): void {
    const { log, filter } = this.#options
    const { sessionPresent, grantedQos } = facts
    this.#isOpen = true
    this.#connects++
    this.#onFirstOpen?.()
    this.#deliveries.connected(connection)
    if (!sessionPresent) void this.#sessionMissing(this.#connects > 1)
    this.#maxPayloadBytes = Math.min(
      DEFAULT_MAX_PAYLOAD_BYTES,
      Math.max(
        MIN_PAYLOAD_BYTES,
        (facts.maximumPacketBytes ?? Number.POSITIVE_INFINITY) - PACKET_OVERHEAD_BYTES,
      ),
    )
    if (grantedQos < 1) log.error('The broker grants only QoS 0: a crash loses the messages in flight')
    this.#publishQueue.connected(
      (message, id, again) => connection.publish(message.topic, message.payload, id, again),
      facts,
    )
    const { host, port } = brokerPlace(this.#url)
    log.info(
      {
        broker: `${host}:${port}`,
        filter,
        mqtt: this.#protocolVersion === 5 ? '5.0' : '3.1.1',
        sessionPresent,
      },
      'Connected to the broker',
    )
  }

  /** A process knows the session that it had itself; that of a former process left rows. */
  async #sessionMissing(isOwn: boolean): Promise<void> {
    const { log, lastStored = async () => null } = this.#options
    const stored = isOwn ? null : await lastStored().catch(() => null)
    if (!isOwn && stored === null) return
    this.#sessionsLost++
    log.error(
      stored === null ? {} : { lastStored: stored.toISOString() },
      `The broker has ${isOwn ? 'lost the session' : 'no session of this client id, which has stored events before'}: ` +
        'the messages queued in it are gone. Check the persistence of the broker and its limit for MQTT_SESSION_EXPIRY' +
        `${isOwn ? '' : '; after a move to another broker this is expected'}.`,
    )
  }

  #deliver(received: Received): void {
    // Unanswered, it is redelivered to the next client that resumes the session.
    if (this.#isDraining) return
    if (received.fault !== null || received.withoutReply) {
      const { topic, reason, count } = this.#quarantine.latest as Quarantined
      this.#options.log.error(
        { topic, reason, count },
        'Quarantined a message that ends the connection each time',
      )
    }
    this.#deliveries.deliver(received)
  }

  get #url(): string {
    const nodes = brokerUrls(this.#options.url)
    return nodes[this.#node % nodes.length] as string
  }

  async #untilLow(): Promise<void> {
    if (this.#deliveries.isLow) return
    this.#options.log.warn(
      { unsettled: this.#deliveries.messages },
      'Not connecting to the broker until the database has committed messages already received',
    )
    await this.#deliveries.untilLow(this.#stopping.signal)
  }
}
