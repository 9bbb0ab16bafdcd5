import { type Aside, Asides } from './asides.ts'
import { connack4To5, connackRefusing } from './connack.ts'
import type { Mqtt5Session } from './connect.ts'
import type { Conversation } from './conversation.ts'
import { fromClient } from './from-client.ts'
import { GatheredBytes } from './gathered-bytes.ts'
import type { PropertyCarrier } from './property-carrier.ts'
import { publish4To5 } from './publish.ts'
import { PublishRefusals } from './publish-refusals.ts'
import { Mqtt5Fault, REASON, type Reason } from './reason-codes.ts'
import { SendWindow } from './send-window.ts'
import { Subscriptions } from './subscriptions.ts'

export interface TranslationOptions {
  readonly maxPacketBytes: number
  readonly carrier: PropertyCarrier
  /** Whether aedes has this topic filter for the client. */
  readonly isSubscribed: (filter: string) => boolean
}

type State = 'connecting' | 'open' | 'refused' | 'ended'

/**
 * The conversation of one MQTT 5 client with aedes, which speaks 3.1.1. Packets in, bytes out: the connection handles
 * streams, backpressure and close.
 *
 * States: connecting (no CONNACK yet; the client may already send more) → open → ended (DISCONNECT received), or
 * connecting → refused. Packet identifiers are the same on both sides.
 */
export class Translation implements Conversation {
  readonly toBroker = new GatheredBytes()
  readonly toClient = new GatheredBytes()
  readonly asides = new Asides()
  readonly subscriptions = new Subscriptions()
  readonly refusals = new PublishRefusals()
  readonly #options: TranslationOptions
  #state: State = 'connecting'
  #session: Mqtt5Session | null = null
  #window = new SendWindow(0)

  /** MQTT 3.1.1 has no return code for this. */
  isOverQuota = false

  constructor(options: TranslationOptions) {
    this.#options = options
  }

  get session(): Mqtt5Session | null {
    return this.#session
  }

  get clientId(): string {
    return this.#session?.clientId ?? ''
  }

  get carrier(): PropertyCarrier {
    return this.#options.carrier
  }

  get isSubscribed(): (filter: string) => boolean {
    return this.#options.isSubscribed
  }

  /** The client has sent DISCONNECT. */
  get isEnded(): boolean {
    return this.#state === 'ended'
  }

  /** Messages held for the client's receive window. */
  get heldBytes(): number {
    return this.#window.heldBytes
  }

  /** @throws Mqtt5Fault */
  fromClient(frame: Buffer): void {
    fromClient(this, frame)
  }

  /** @param properties of a PUBLISH, as set by its publisher */
  fromBroker(frame: Buffer, properties: Buffer | null): void {
    switch ((frame[0] as number) >> 4) {
      case 2:
        return this.#connack(frame)
      case 3:
        return this.#publish(frame, properties)
      case 9:
        return this.toClient.append(this.subscriptions.suback(frame.readUInt16BE(2), frame.subarray(4)))
      case 11:
        return this.toClient.append(this.subscriptions.unsuback(frame.readUInt16BE(2)))
      default: {
        // PUBACK to PUBCOMP without a reason code mean success [3.4.2.1], and PINGRESP is identical.
        const answer = this.refusals.answer(frame)
        if (answer.toClient !== null) this.toClient.append(answer.toClient)
        if (answer.toBroker !== null) this.forward(answer.toBroker)
      }
    }
  }

  begin(session: Mqtt5Session): void {
    this.#session = session
    this.#window = new SendWindow(session.receiveMaximum)
  }

  answered(packetId: number): void {
    this.#window.answered(packetId, this.toClient)
  }

  forward(bytes: Uint8Array | readonly number[], aside: Aside | null = null): void {
    this.toBroker.append(bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes))
    this.forwarded(aside)
  }

  forwarded(aside: Aside | null): void {
    this.asides.written(aside)
  }

  end(expirySeconds: number | undefined): void {
    if (expirySeconds !== undefined && this.#session !== null) {
      if (this.#session.expirySeconds === 0 && expirySeconds > 0) {
        throw new Mqtt5Fault(REASON.protocolError, 'a session expiry in DISCONNECT but none in CONNECT')
      }
      this.#session = { ...this.#session, expirySeconds }
    }
    this.#state = 'ended'
  }

  /** Sends the client the reason for the close, if a packet for it is allowed [MQTT-4.13.1-1], [MQTT-3.14.0-1]. */
  farewell(reason: Reason): void {
    if (this.#state === 'open') this.toClient.append(Uint8Array.of(0xe0, 2, reason, 0))
    if (this.#state === 'connecting') this.toClient.append(connackRefusing(reason))
    this.#state = 'ended'
  }

  #connack(frame: Buffer): void {
    if (this.#session === null) return
    const { maxPacketBytes } = this.#options
    const { reason, bytes } = connack4To5(frame, {
      ...{ session: this.#session, maxPacketBytes },
      isOverQuota: this.isOverQuota,
    })
    this.#state = reason === REASON.success ? 'open' : 'refused'
    this.toClient.append(bytes)
  }

  #publish(frame: Buffer, properties: Buffer | null): void {
    const outgoing = publish4To5(frame, properties)
    const { qos, packetId, bytes } = outgoing
    if (bytes > (this.#session?.maxPacketBytes ?? 0)) return this.#withhold(qos, packetId)
    if (qos === 0 || this.#window.admit(packetId)) return outgoing.write(this.toClient)
    const held = new GatheredBytes()
    outgoing.write(held)
    this.#window.hold(packetId, held.take())
  }

  /** A packet above the client's limit is treated as if sent and acknowledged [MQTT-3.1.2-25]. */
  #withhold(qos: number, packetId: number): void {
    if (qos > 0) this.forward([qos === 1 ? 0x40 : 0x70, 2, packetId >> 8, packetId & 0xff])
  }
}
