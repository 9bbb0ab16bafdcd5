import type { Aedes, Client } from 'aedes'
import { CONTROL_TOPIC } from '../../accounts/control-protocol.ts'
import type { Access } from './access.ts'
import { aboutClient, type ClientComplaints } from './client-complaints.ts'
import { Mqtt5Connection } from './mqtt5/connection.ts'

/** A topic to which nobody can subscribe: `#` does not match it, and no role names it. */
const NOWHERE = '$refused'

export interface ClientPublish {
  readonly topic: string
  /** The client may publish to it. */
  readonly isAllowed: boolean
  readonly payload: string | Buffer
}

export interface PublishOptions {
  readonly access: Access
  readonly complaints: ClientComplaints
  /** Told of what a client publishes, whether it may or not. */
  readonly onPublish: (client: Client, publish: ClientPublish) => void
  /** A copy of a payload that keeps nothing else in memory. */
  readonly detached: (payload: Buffer) => Buffer
}

/**
 * What a client may not publish is acknowledged and goes nowhere, as with Mosquitto, and an MQTT 5 client is told
 * (0x87). aedes knows only to end the connection, which 3.1.1 allows as well [MQTT-3.3.5-2]: a board with a wrong
 * topic would then come and go in a loop, and behave otherwise at its next broker. So the message is led
 * astray: aedes lets this hook change it. Wills come this way too.
 */
export function authorizePublish({
  access,
  complaints,
  onPublish,
  detached,
}: PublishOptions): Aedes['authorizePublish'] {
  return (client, packet, done) => {
    // A retained command would hand its passwords to whoever subscribes.
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
