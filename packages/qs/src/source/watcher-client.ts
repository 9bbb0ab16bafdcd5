import { readFileSync } from 'node:fs'
import mqtt, { type MqttClient } from 'mqtt'

export interface WatcherOptions {
  readonly url: string
  readonly caFile: string | null
  readonly clientId: string
  readonly username: string | null
  /** Asked at each connection: it may be in a file that is written anew. */
  readonly password: () => string | null
}

/**
 * A client that only listens, with no session: what it misses is missed. MQTT 3.1.1, which every broker speaks.
 *
 * @throws where MQTT_CA_FILE cannot be read
 */
export function connectWatcher(
  { url, caFile, clientId, username, password }: WatcherOptions,
  reconnectMs: number,
): MqttClient {
  const secret = () => {
    const current = password()
    return current === null ? {} : { password: current }
  }
  const client = mqtt.connect(url, {
    clientId,
    protocolVersion: 4,
    reconnectPeriod: reconnectMs,
    ...(username !== null && { username }),
    ...secret(),
    // Without it a refusal is the last word, and MQTT.js never tries the new password.
    reconnectOnConnackError: true,
    ...(caFile !== null && { ca: readFileSync(caFile) }),
  })
  client.on('reconnect', () => Object.assign(client.options, secret()))
  return client
}
