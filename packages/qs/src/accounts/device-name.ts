import { isDeviceId } from '@qs-telemetry/protocol'
import type { Config } from '../config/settings.ts'
import { INGESTER, OPERATOR } from './roles.ts'

/**
 * Why there can be no account of this name, for people; null where there can. The account would be bound to a client
 * id of this name, so it must be none that somebody else has: a device with the client id of an ingester could take
 * its session over.
 */
export function deviceNameProblem(config: Config, deviceId: string): string | null {
  const maxBytes = config.LIMIT_ID_BYTES
  if (!isDeviceId(deviceId) || Buffer.byteLength(deviceId) > maxBytes)
    return `"${deviceId}" cannot be a device id: it is a level of a topic, 1 to ${maxBytes} bytes without / + # and control characters`
  const taken = [OPERATOR, INGESTER, config.MQTT_USERNAME, config.INGESTER_USERNAME]
  if (taken.includes(deviceId) || deviceId.startsWith(config.MQTT_CLIENT_ID))
    return `${deviceId} is the name of an account or of an ingester. Give the device another id.`
  return null
}
