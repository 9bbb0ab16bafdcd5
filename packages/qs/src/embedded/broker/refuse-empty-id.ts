import type { PreConnectHandler } from 'aedes'

/** CONNACK with the return code "identifier rejected". */
const IDENTIFIER_REJECTED = Buffer.from([0x20, 2, 0, 2])

/**
 * A client of 3.1.1 without a client id can have no session to come back to, so it has to ask for a clean one
 * [MQTT-3.1.3-8]. aedes gives it an id that it never learns, and keeps a session that nobody can take up. An MQTT 5 client
 * learns its id in CONNACK, and has one here already.
 */
export const refuseEmptyId: PreConnectHandler = (client, packet, done) => {
  if (packet.clientId !== '' || packet.clean) return done(null, true)
  client.conn.write(IDENTIFIER_REJECTED)
  done(Object.assign(new Error('no client id and no clean session'), { returnCode: 2 }), false)
}
