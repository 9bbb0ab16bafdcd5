import type { BrokerOptions } from '@qs-telemetry/device'
import { readAuthority } from '../config/read-authority.ts'
import type { Config } from '../config/settings.ts'
import { findMqttUrl } from './endpoints.ts'

/** The broker from the settings, for clients other than the ingester. */
export function brokerOptions(config: Config): BrokerOptions {
  const { MQTT_USERNAME: username, MQTT_PASSWORD: password, MQTT_CA_FILE: caFile } = config
  return {
    url: findMqttUrl(config),
    ...(username !== null && { username }),
    ...(password !== null && { password }),
    ...(caFile !== null && { mqtt: { ca: readAuthority(caFile) } }),
  }
}

export interface BrokerAccess {
  readonly url: string
  readonly username?: string
  readonly password?: string
  readonly ca?: Buffer
}

/** The same for a single connection. */
export function brokerAccess(config: Config): BrokerAccess {
  const { url, username, password, mqtt } = brokerOptions(config)
  return {
    url,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(mqtt?.ca instanceof Buffer && { ca: mqtt.ca }),
  }
}

/** The topics from the settings, for the device client; without $share, which is only for ingesters. */
export function topicOptions(config: Config) {
  return { eventsTopic: config.MQTT_EVENTS_TOPIC.topicOf('+'), ackTemplate: config.ACK_TEMPLATE }
}
