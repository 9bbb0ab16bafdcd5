import { readFileSync } from 'node:fs'
import { connectBroker } from '@qs-telemetry/device'
import type { MqttClient } from 'mqtt'

export interface WatcherOptions {
  readonly url: string
  readonly caFile: string | null
  readonly clientId: string
  readonly username: string | null
  /** Called for each connection: the password may be in a file that changes. */
  readonly password: () => string | null
}

/**
 * A client that only listens, without a session: messages that it misses are lost to it. MQTT 3.1.1, which every broker
 * supports.
 *
 * @throws if MQTT_CA_FILE cannot be read
 */
export function connectWatcher(
  { url, caFile, clientId, username, password }: WatcherOptions,
  reconnectMs: number,
): MqttClient {
  const secret = () => {
    const current = password()
    return current === null ? {} : { password: current }
  }
  const client = connectBroker(url, {
    clientId,
    protocolVersion: 4,
    reconnectPeriod: reconnectMs,
    ...(username !== null && { username }),
    ...secret(),
    // Otherwise MQTT.js gives up after a refusal and never tries the new password.
    reconnectOnConnackError: true,
    ...(caFile !== null && { ca: readFileSync(caFile) }),
  })
  client.on('reconnect', () => Object.assign(client.options, secret()))
  return client
}
