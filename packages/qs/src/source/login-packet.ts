import type { Packet } from 'mqtt-packet'

export interface LoginOptions {
  readonly clientId: string
  readonly username: string | null
  readonly password: string | null
  readonly protocolVersion: 4 | 5
  readonly sessionExpiryMs: number
  /** Maximum unanswered messages from the broker (MQTT 5). */
  readonly receiveMaximum: number
  readonly keepAliveMs: number
}

/** CONNECT for a durable session. */
export function loginPacket(options: LoginOptions): Packet {
  const { clientId, username, password, protocolVersion, keepAliveMs, sessionExpiryMs, receiveMaximum } =
    options
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion,
    clientId,
    clean: false,
    // Longer than the client's own interval: the broker's verdict is final, and a busy process may be late.
    keepalive: Math.ceil((keepAliveMs * 3) / 1000),
    ...(username !== null && { username }),
    ...(password !== null && { password: Buffer.from(password) }),
    ...(protocolVersion === 5 && {
      properties: {
        sessionExpiryInterval: Math.min(Math.round(sessionExpiryMs / 1000), 0xffff_ffff),
        receiveMaximum,
      },
    }),
  }
}
