import type { DeviceAck } from '@qs-telemetry/protocol'
import { QsError } from '../errors/qs-error.ts'
import type { Board } from './board.ts'
import { type Peer, publish, subscribe } from './peer.ts'

/** A board's connection on which its device acks arrive. */
export interface Conversation {
  readonly peer: Peer
  /** Publishes with QoS 1 and waits for the device ack. @throws Error if none comes in time */
  tell(payload: string): Promise<readonly DeviceAck[]>
  /** The next device ack. @throws Error if none comes in time */
  hear(): Promise<readonly DeviceAck[]>
}

/** @throws Error if the broker refuses the connection or the subscription */
export async function converse(board: Board): Promise<Conversation> {
  const peer = await board.connect()
  peer.send(subscribe(board.acksTopic))
  const { granted } = await peer.next('suback')
  if (granted[0] !== 0)
    throw new QsError('BROKER_FORBIDS', `the broker does not let ${board.deviceId} read its own device acks`)
  const hear = async () => {
    const { payload } = await peer.next('publish')
    const answer = JSON.parse(payload.toString()) as DeviceAck | readonly DeviceAck[]
    return Array.isArray(answer) ? answer : [answer as DeviceAck]
  }
  let messageId = 0
  return {
    peer,
    hear,
    tell: (payload) => {
      messageId++
      peer.send(publish(board.eventsTopic, payload, 1, messageId))
      return hear()
    },
  }
}

/** The status or rejection code of each element. */
export function endsOf(deviceAcks: readonly DeviceAck[]): string {
  return deviceAcks.map((ack) => ack.error?.code ?? ack.status).join(', ')
}
