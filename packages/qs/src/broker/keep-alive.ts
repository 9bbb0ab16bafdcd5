import type { Connect } from '../mqtt/connect-packet.ts'

/**
 * An MQTT 5 board that lost its power must not hold its connection, its session and its will for hours (65,535 s, or for
 * ever with 0): they end after 450 s. Larger than the keep-alive of common clients (15 to 120 s), and about the time after
 * which routers forget an idle connection.
 */
const MAX_KEEP_ALIVE_SECONDS = 300

/** [MQTT-3.2.2-21]: an MQTT 5 client is told another one. 3.1.1 has no way to tell it, so that its own one holds. */
export function keepAliveOf({ level, keepAliveSeconds }: Connect): number {
  const isWithin = keepAliveSeconds > 0 && keepAliveSeconds <= MAX_KEEP_ALIVE_SECONDS
  return level < 5 || isWithin ? keepAliveSeconds : MAX_KEEP_ALIVE_SECONDS
}
