import { readAuthority } from '../config/read-authority.ts'
import type { Config } from '../config/settings.ts'
import { findMqttUrl } from '../endpoints/endpoints.ts'
import type { OperatorLogin } from './control-connection.ts'
import type { AccountTopics } from './roles.ts'

/** The operator's login from the settings. */
export function operatorLogin(config: Config): OperatorLogin {
  return {
    url: findMqttUrl(config),
    username: config.MQTT_USERNAME,
    password: config.MQTT_PASSWORD,
    ca: config.MQTT_CA_FILE === null ? null : readAuthority(config.MQTT_CA_FILE),
  }
}

export function accountTopics(config: Config): AccountTopics {
  return {
    events: config.MQTT_EVENTS_TOPIC,
    ackTemplate: config.ACK_TEMPLATE,
    deadLetter: config.MQTT_DEADLETTER_TOPIC,
  }
}
