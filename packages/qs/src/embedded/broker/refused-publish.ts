import type { Aedes, Client } from 'aedes'
import { CONTROL_TOPIC } from '../../accounts/control-protocol.ts'
import type { Access } from './access.ts'
import { aboutClient, type ClientComplaints } from './client-complaints.ts'
import { Mqtt5Connection } from './mqtt5/connection.ts'

/** A topic without subscribers: `#` does not match it, and no role allows it. */
const NOWHERE = '$refused'

export interface ClientPublish {
  readonly topic: string
  /** Whether the client may publish to it. */
  readonly isAllowed: boolean
  readonly payload: string | Buffer
}

export interface PublishOptions {
  readonly access: Access
  readonly complaints: ClientComplaints
  /** Called for every message that a client publishes, allowed or not. */
  readonly onPublish: (client: Client, publish: ClientPublish) => void
  /** A copy of a payload that keeps nothing else in memory. */
  readonly detached: (payload: Buffer) => Buffer
}

/**
 * A message that a client may not publish is acknowledged and discarded, as with Mosquitto; an MQTT 5 client gets 0x87.
 * aedes can only close the connection, which 3.1.1 also allows [MQTT-3.3.5-2]: a board with a wrong topic would then
 * reconnect in a loop, and behave differently with another broker. This hook therefore redirects the message, which
 * aedes lets it change. It also handles wills.
 */
export function authorizePublish({
  access,
  complaints,
  onPublish,
  detached,
}: PublishOptions): Aedes['authorizePublish'] {
  return (client, packet, done) => {
    // A retained command would expose its passwords to later subscribers.
    if (packet.topic === CONTROL_TOPIC) packet.retain = false
    const isAllowed = access.mayPublish(client, packet.topic)
    if (client !== null) onPublish(client, { topic: packet.topic, isAllowed, payload: packet.payload })
    if (isAllowed) {
      if (packet.retain && packet.payload instanceof Buffer) packet.payload = detached(packet.payload)
      return done(null)
    }
    if (client !== null) {
      complaints.say('publish', aboutClient(client), `a client may not publish to ${packet.topic}`)
      const { messageId } = packet as { readonly messageId?: number }
      if (client.conn instanceof Mqtt5Connection && messageId) client.conn.refusePublish(messageId)
    }
    Object.assign(packet, { topic: NOWHERE, payload: Buffer.alloc(0), retain: false })
    done(null)
  }
}
