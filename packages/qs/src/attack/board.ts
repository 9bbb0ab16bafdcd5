import { ackTopic, type EventTopic } from '@qs-telemetry/protocol'
import { refusedConnection } from '../errors/refused-connection.ts'
import { openPeer, type Peer, type PeerOptions } from './peer.ts'

export interface BoardOptions {
  readonly url: string
  readonly ca: Buffer | null
  readonly deviceId: string
  /** null: the broker requires none. */
  readonly login: { readonly username: string; readonly password: string } | null
  readonly events: EventTopic
  readonly ackTemplate: string
  /** Longest time that a device may wait for the servers. */
  readonly maxWaitMs: number
}

/** A device identity at the broker, and raw connections with it. */
export class Board {
  readonly deviceId: string
  readonly eventsTopic: string
  readonly acksTopic: string
  readonly #options: BoardOptions

  constructor(options: BoardOptions) {
    this.#options = options
    this.deviceId = options.deviceId
    this.eventsTopic = options.events.topicOf(options.deviceId)
    this.acksTopic = ackTopic(options.ackTemplate, options.deviceId)
  }

  /** An accepted connection. @throws Error if the broker refuses it */
  async connect(options: Partial<PeerOptions> = {}): Promise<Peer> {
    const peer = this.open(options)
    const { returnCode = 0 } = await peer.next('connack')
    if (returnCode === 0) return peer
    peer.destroy()
    throw refusedConnection(returnCode, `the broker of ${this.deviceId}`)
  }

  /** A connection that sends CONNECT without waiting for the answer. */
  open(options: Partial<PeerOptions> = {}): Peer {
    const { url, ca, deviceId, login, maxWaitMs } = this.#options
    return openPeer({
      ...{ url, ca, clientId: deviceId, maxWaitMs },
      ...(login !== null && login),
      ...options,
    })
  }

  event(eventId: string, fields: Readonly<Record<string, unknown>> = {}): string {
    return JSON.stringify({ ...this.#frame(eventId), event_type: 'attack', ...fields })
  }

  #frame(eventId: string) {
    return { schema: 1, event_id: eventId, device_id: this.deviceId }
  }
}
