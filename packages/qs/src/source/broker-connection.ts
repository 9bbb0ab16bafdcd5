import type { Duplex } from 'node:stream'
import type { Instant } from '@qs-telemetry/protocol'
import { generate, type IConnackPacket, type Packet, parser } from 'mqtt-packet'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { refusedConnection } from '../errors/refused-connection.ts'
import type { CallOff, Clock } from '../pipeline/clock.ts'
import { disconnectedByBroker, refusedSubscription } from './broker-refusals.ts'
import { InboundMessages, type Received, type SessionMemory } from './inbound-messages.ts'
import { KeepAlive } from './keep-alive.ts'
import { type LoginOptions, loginPacket } from './login-packet.ts'
import { type AnswerType, Packets, PUBACK, PUBREL } from './packets.ts'
import { Transmit } from './transmit.ts'

export interface SessionOptions extends LoginOptions {
  readonly filter: string
  readonly handshakeTimeoutMs: number
  readonly nextSubscribeId: () => number
  readonly clock: Clock
}

export interface ConnectionEvents {
  onMessage(received: Received): void
  onPuback(packetId: number): void
  /** The broker refused SUBSCRIBE for now, in a resumed session, which has its subscription already. */
  onRefused(refusal: QsError): void
}

/** The terms of the session, from CONNACK and SUBACK. */
export interface SessionFacts {
  readonly sessionPresent: boolean
  /** Maximum unanswered QoS 1 messages to the broker. */
  readonly receiveMaximum: number
  /** The QoS granted to the subscription; below 1 the broker gives no guarantee. */
  readonly grantedQos: number
  /** The largest packet that the broker accepts (MQTT 5); null if it sets no limit. */
  readonly maximumPacketBytes: number | null
}

const SUBSCRIBE_AGAIN_MS = 60_000
/** UNSUBACK, PINGRESP, AUTH: ignored, requested or not. */
const OF_NO_INTEREST: ReadonlySet<number> = new Set([11, 13, 15])
/** MQTT 3.1.1 has no Receive Maximum; a broker may drop messages beyond a limit of its own. */
const RECEIVE_MAXIMUM_3_1_1 = 20

/**
 * One network connection and its MQTT exchange, from CONNECT to the end of the socket; never reused.
 *
 * States: connecting (CONNECT sent) → subscribing (CONNACK received; a resumed session may already deliver) → open
 * (SUBACK received) → closed. `open` resolves once the connection is open and rejects if it closes before; `closed`
 * resolves with the reason why it ended. Its window and its half-sent packets end with it.
 */
export class BrokerConnection {
  readonly #socket: Duplex
  readonly #options: SessionOptions
  readonly #events: ConnectionEvents
  readonly #transmit: Transmit
  readonly #inbound: InboundMessages
  readonly #keepAlive: KeepAlive
  readonly #packets: Packets
  readonly #parser
  #readAt: Instant
  #connack: IConnackPacket | null = null
  #isClosed = false
  #callOffSubscribe: CallOff = () => {}
  readonly closed: Promise<QsError>
  #resolveClosed!: (reason: QsError) => void
  #resolveOpen!: (facts: SessionFacts) => void

  constructor(socket: Duplex, options: SessionOptions & SessionMemory, events: ConnectionEvents) {
    this.#socket = socket
    this.#options = options
    this.#events = events
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#transmit = new Transmit((bytes) => this.#write(bytes), options.protocolVersion === 5)
    this.#inbound = new InboundMessages({
      memory: options,
      transmit: this.#transmit,
      onMessage: (received) => events.onMessage(received),
    })
    this.#keepAlive = new KeepAlive(options.clock, options.keepAliveMs, {
      ping: () => this.#send({ cmd: 'pingreq' }),
      onDead: (silentMs) =>
        this.#end(new QsError('BROKER_NO_ANSWER', `The broker sent nothing for ${silentMs} ms`)),
    })
    this.#parser = parser({ protocolVersion: options.protocolVersion })
    this.#readAt = options.clock.now()
    this.#packets = new Packets(
      {
        onPublish: (publish) => this.#inbound.receive(publish, this.#readAt),
        onMalformed: (publish) => this.#inbound.receiveMalformed(publish, this.#readAt),
        onAnswer: (type, packetId) => this.#onAnswer(type, packetId),
        onOther: (packet) => {
          if (!OF_NO_INTEREST.has((packet[0] as number) >> 4)) this.#parser.parse(packet)
        },
      },
      options.protocolVersion === 5,
    )
  }

  /** @throws QsError if the broker refuses, or the connection ends before the subscription is granted */
  async open(): Promise<SessionFacts> {
    const { clock, handshakeTimeoutMs } = this.#options
    const opened = new Promise<SessionFacts>((resolve) => {
      this.#resolveOpen = resolve
    })
    this.#listen()
    this.#send(loginPacket(this.#options))
    const callOff = clock.after(handshakeTimeoutMs, () => {
      this.#end(
        new QsError(
          'BROKER_NO_ANSWER',
          `The broker did not finish the handshake within ${handshakeTimeoutMs} ms`,
        ),
      )
    })
    try {
      return await Promise.race([
        opened,
        this.closed.then((reason) => {
          throw reason
        }),
      ])
    } finally {
      callOff()
    }
  }

  /** Stops reading for now. The broker then fills its window and the network buffers, and waits. */
  pause(): void {
    this.#keepAlive.suspendVerdict()
    this.#socket.pause()
  }

  resume(): void {
    this.#keepAlive.resumeVerdict()
    this.#socket.resume()
  }

  publish(topic: string, payload: string, packetId: number | null = null, isRedelivery = false): void {
    if (!this.#isClosed) this.#transmit.publish(topic, payload, packetId, isRedelivery)
  }

  /** Sends pending packets, then DISCONNECT, and waits for the end; the session stays at the broker. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#send({ cmd: 'disconnect' })
      this.#transmit.flush()
      this.#socket.resume()
      this.#socket.end()
      const callOff = this.#options.clock.after(1000, () => this.#socket.destroy())
      this.#end(new QsError('STOPPING', 'Closed by this client'), false)
      await new Promise((resolve) => this.#socket.once('close', resolve))
      callOff()
    }
  }

  destroy(reason: QsError): void {
    this.#end(reason)
  }

  #listen(): void {
    this.#parser.on('packet', (packet) => this.#receive(packet))
    this.#parser.on('error', (error: Error) => this.#end(this.#protocolFault(error.message)))
    this.#socket.on('data', (chunk: Buffer) => {
      this.#keepAlive.heard()
      this.#readAt = this.#options.clock.now()
      try {
        this.#packets.feed(chunk)
      } catch (error) {
        this.#end(this.#protocolFault(reasonOf(error)))
      }
    })
    this.#socket.on('error', (error) =>
      this.#end(new QsError('BROKER_NO_ANSWER', `The connection broke: ${error.message}`)),
    )
    this.#socket.on('close', () => this.#end(this.#protocolFault('the broker closed it')))
  }

  /** A failure before CONNACK may mean a broker without MQTT 5, or one that is down: the versions alternate. */
  #protocolFault(reason: string): QsError {
    const code = this.#connack === null ? 'BROKER_ENDED_LOGIN' : 'BROKER_NO_ANSWER'
    return new QsError(code, `The connection ended: ${reason}`)
  }

  #receive(packet: Packet): void {
    if (this.#isClosed) return
    switch (packet.cmd) {
      case 'connack':
        this.#onConnack(packet)
        return
      case 'suback':
        this.#onSuback(Number(packet.granted[0]))
        return
      case 'disconnect':
        this.#end(disconnectedByBroker(packet.reasonCode ?? 0, packet.properties?.reasonString))
        return
      default:
        this.#end(
          new QsError('BROKER_NO_ANSWER', `The broker sent ${packet.cmd}, which only clients may send`),
        )
    }
  }

  /** PUBREC and PUBCOMP are ignored: they would answer a PUBLISH of QoS 2, which is never sent. */
  #onAnswer(type: AnswerType, packetId: number): void {
    if (this.#isClosed) return
    if (type === PUBACK) this.#events.onPuback(packetId)
    if (type === PUBREL) this.#inbound.release(packetId)
  }

  #onConnack(packet: IConnackPacket): void {
    if (this.#connack !== null) return this.#end(this.#protocolFault('the broker sent CONNACK twice'))
    const code = packet.reasonCode ?? packet.returnCode ?? 0
    if (code !== 0) return this.#end(refusedConnection(code))
    this.#connack = packet
    this.#inbound.begin(packet.sessionPresent)
    this.#keepAlive.start()
    this.#subscribe()
    // A resumed session already has its subscription, and its backlog arrives before SUBACK. Waiting for SUBACK could
    // deadlock, since a full window pauses the socket.
    if (packet.sessionPresent) this.#opened(1)
  }

  #subscribe(): void {
    const { filter, protocolVersion, nextSubscribeId } = this.#options
    // Retain handling 1: no retained messages again if the session already has the subscription [MQTT 5, 3.8.3.1].
    const rh = protocolVersion === 5 ? { rh: 1, nl: false, rap: true } : {}
    this.#send({
      cmd: 'subscribe',
      messageId: nextSubscribeId(),
      subscriptions: [{ topic: filter, qos: 1, ...rh }],
    })
  }

  #onSuback(grantedQos: number): void {
    if (grantedQos < 0x80) return this.#opened(grantedQos)
    const { filter, protocolVersion, clock } = this.#options
    const refusal = refusedSubscription(filter, grantedQos, protocolVersion)
    if (!refusal.entry.retryable || !this.#connack?.sessionPresent) return this.#end(refusal)
    this.#events.onRefused(refusal)
    this.#callOffSubscribe = clock.after(SUBSCRIBE_AGAIN_MS, () => this.#subscribe())
  }

  /** A promise settles once: the SUBACK of a resumed session has no effect. */
  #opened(grantedQos: number): void {
    const fallback = this.#options.protocolVersion === 5 ? 65_535 : RECEIVE_MAXIMUM_3_1_1
    this.#resolveOpen({
      sessionPresent: this.#connack?.sessionPresent ?? false,
      receiveMaximum: this.#connack?.properties?.receiveMaximum ?? fallback,
      grantedQos,
      maximumPacketBytes: this.#connack?.properties?.maximumPacketSize ?? null,
    })
  }

  #send(packet: Packet): void {
    this.#transmit.packet(generate(packet, { protocolVersion: this.#options.protocolVersion }))
  }

  #write(bytes: Buffer): void {
    if (this.#isClosed && this.#socket.writableEnded) return
    this.#keepAlive.said()
    this.#socket.write(bytes)
  }

  #end(reason: QsError, destroy = true): void {
    if (destroy) this.#socket.destroy()
    if (this.#isClosed) return
    this.#isClosed = true
    this.#inbound.end()
    this.#keepAlive.stop()
    this.#callOffSubscribe()
    this.#resolveClosed(reason)
  }
}
