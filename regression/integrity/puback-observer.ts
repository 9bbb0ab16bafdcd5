import { type IPublishPacket, type Parser, parser } from 'mqtt-packet'
import type { ProxyObserver } from '../../packages/qs/src/verify/fault-proxy.ts'
import type { Checker } from '../checker.ts'
import type { Witness } from './witness.ts'

/** A message on its way to the ingester. */
interface Open {
  readonly packetId: number
  readonly deviceId: string
  readonly eventId: string
}

interface Conversation {
  /** Unique among all proxies of a run. */
  readonly name: string
  readonly toServer: Parser
  toClient: Parser | null
  /** Not yet answered, by packet identifier. */
  readonly open: Map<number, Open>
}

/**
 * Reads the MQTT traffic through the proxy before a broker. Reports to the checker which message came on which
 * connection, and each PUBACK after the witness has looked up whether its event is committed. For fleets that send
 * objects.
 */
export class PubackObserver {
  readonly #checker: Checker
  readonly #witness: Witness
  readonly #name: string
  readonly #conversations = new Map<number, Conversation>()
  #pubacks = 0
  #widest = 0

  /** @param name of the observed proxy */
  constructor(name: string, { checker, witness }: { readonly checker: Checker; readonly witness: Witness }) {
    this.#name = name
    this.#checker = checker
    this.#witness = witness
  }

  /** Number of PUBACKs seen. */
  get pubacks(): number {
    return this.#pubacks
  }

  /** The most messages ever unanswered on one connection. */
  get widest(): number {
    return this.#widest
  }

  readonly observe: ProxyObserver = (connection, direction, bytes) => {
    const conversation = this.#conversations.get(connection) ?? this.#begin(connection)
    conversation[direction]?.parse(bytes)
  }

  #begin(connection: number): Conversation {
    const open = new Map<number, Open>()
    const conversation: Conversation = {
      name: `${this.#name}/${connection}`,
      toServer: parser(),
      toClient: null,
      open,
    }
    conversation.toServer.on('packet', (packet) => {
      if (packet.cmd === 'connect') {
        conversation.toClient = this.#reader(conversation, packet.protocolVersion ?? 4)
      } else if (packet.cmd === 'puback') this.#answered(conversation, packet.messageId as number)
    })
    this.#conversations.set(connection, conversation)
    return conversation
  }

  #reader(conversation: Conversation, protocolVersion: number): Parser {
    const reader = parser({ protocolVersion })
    reader.on('packet', (packet) => {
      if (packet.cmd === 'publish' && packet.qos === 1) this.#delivered(conversation, packet)
    })
    return reader
  }

  #delivered({ name, open }: Conversation, { messageId, payload }: IPublishPacket): void {
    const packetId = messageId as number
    const text = payload.toString()
    const { device_id: deviceId, event_id: eventId } = JSON.parse(text)
    this.#checker.delivered(name, { packetId, deviceId, payloads: [text] })
    open.set(packetId, { packetId, deviceId, eventId })
    this.#widest = Math.max(this.#widest, open.size)
  }

  #answered({ name, open }: Conversation, packetId: number): void {
    this.#pubacks++
    const message = open.get(packetId)
    open.delete(packetId)
    if (message === undefined) this.#checker.pubacked(name, packetId)
    else this.#witness.pubacked(name, packetId, message)
  }
}
