import { isDeviceId } from '@qs-telemetry/protocol'
import type { Config } from '../config/settings.ts'
import { INGESTER, OPERATOR } from './roles.ts'

/**
 * Why an account cannot have this name, as text for the user; null if it can. The account is bound to a client id of
 * this name, which must not be in use: a device with the client id of an ingester could take over its session.
 */
export function deviceNameProblem(config: Config, deviceId: string): string | null {
  const maxBytes = config.LIMIT_ID_BYTES
  if (!isDeviceId(deviceId) || Buffer.byteLength(deviceId) > maxBytes)
    return `"${deviceId}" cannot be a device id: a device id is one topic level of 1 to ${maxBytes} bytes, without / + # and control characters`
  const taken = [OPERATOR, INGESTER, config.MQTT_USERNAME, config.INGESTER_USERNAME]
  if (taken.includes(deviceId) || deviceId.startsWith(config.MQTT_CLIENT_ID))
    return `${deviceId} is the name of an account or of an ingester. Choose another device id.`
  return null
}
