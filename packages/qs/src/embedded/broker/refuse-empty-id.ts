import type { PreConnectHandler } from 'aedes'

/** CONNACK with the return code "identifier rejected". */
const IDENTIFIER_REJECTED = Buffer.from([0x20, 2, 0, 2])

/**
 * A 3.1.1 client without a client id cannot return to a session, so it must request a clean one [MQTT-3.1.3-8]. aedes
 * would assign an id that the client never learns, and keep an unreachable session. An MQTT 5 client gets its id in
 * CONNACK, and already has it here.
 */
export const refuseEmptyId: PreConnectHandler = (client, packet, done) => {
  if (packet.clientId !== '' || packet.clean) return done(null, true)
  client.conn.write(IDENTIFIER_REJECTED)
  done(Object.assign(new Error('no client id and no clean session'), { returnCode: 2 }), false)
}
