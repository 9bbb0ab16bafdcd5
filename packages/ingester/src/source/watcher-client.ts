import { readFileSync } from 'node:fs'
import mqtt, { type MqttClient } from 'mqtt'

export interface WatcherOptions {
  readonly url: string
  readonly caFile: string | null
  readonly clientId: string
  readonly username: string | null
  readonly password: string | null
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
  return mqtt.connect(url, {
    clientId,
    protocolVersion: 4,
    reconnectPeriod: reconnectMs,
    ...(username !== null && { username }),
    ...(password !== null && { password }),
    ...(caFile !== null && { ca: readFileSync(caFile) }),
  })
}
