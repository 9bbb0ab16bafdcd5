import { ackTopic } from '@qs-telemetry/protocol'
import type { Config } from '../config/settings.ts'
import { isLoopback } from '../endpoints/loopback.ts'
import { lanAddress } from './lan-address.ts'

/** Everything a board needs to connect. */
export interface DeviceLogin {
  readonly deviceId: string
  readonly password: string
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly eventsTopic: string
  readonly acksTopic: string
}

export function deviceLogin(config: Config, deviceId: string, password: string): DeviceLogin {
  const { hostname, port, protocol } = new URL(publicUrl(config))
  const tls = protocol === 'mqtts:'
  return {
    deviceId,
    password,
    host: hostname,
    port: Number(port) || (tls ? 8883 : 1883),
    tls,
    eventsTopic: config.MQTT_EVENTS_TOPIC.topicOf(deviceId),
    acksTopic: ackTopic(config.ACK_TEMPLATE, deviceId),
  }
}

export function brokerUrlOf({ host, port, tls }: DeviceLogin): string {
  return `${tls ? 'mqtts' : 'mqtt'}://${host}:${port}`
}

/** Boards cannot reach a loopback address, so this machine's network address replaces it. */
function publicUrl({ MQTT_PUBLIC_URL, MQTT_URL, MQTT_PORT }: Config): string {
  if (MQTT_PUBLIC_URL !== null) return MQTT_PUBLIC_URL
  const url = new URL(MQTT_URL ?? `mqtt://127.0.0.1:${MQTT_PORT}`)
  if (isLoopback(url.hostname)) url.hostname = lanAddress()
  return url.href
}
