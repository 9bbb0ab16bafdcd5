import type { TestContext } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import {
  type EmbeddedBroker,
  type EmbeddedBrokerOptions,
  startEmbeddedBroker,
} from '../../../src/embedded/broker/embedded-broker.ts'

export const loopback = {
  host: '127.0.0.1',
  port: 0,
  wsPort: 0,
  credentials: null,
  accountsFile: null,
  maxPacketBytes: 10_000,
} as const

export const credentials = { username: 'board', password: 'secret' }

/** A broker for one test, on free ports. */
export async function start(
  t: TestContext,
  options: Partial<EmbeddedBrokerOptions> = {},
): Promise<EmbeddedBroker> {
  const broker = await startEmbeddedBroker({ ...loopback, log: silentLog().log, ...options })
  t.after(() => broker.stop())
  return broker
}

/** An MQTT client, 3.1.1 by default; closed after the test. */
export async function connect(
  t: TestContext,
  url: string,
  options: IClientOptions = {},
): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 4, reconnectPeriod: 0, ...options }, false)
  client.on('error', () => {})
  t.after(() => client.end(true))
  return client
}

export function tcp(broker: EmbeddedBroker): string {
  return `mqtt://127.0.0.1:${broker.port}`
}

export function webSocket(broker: EmbeddedBroker): string {
  return `ws://127.0.0.1:${broker.wsPort}`
}

/** What the client receives from now on, as `topic: payload`. */
export function received(client: MqttClient): readonly string[] {
  const messages: string[] = []
  client.on('message', (topic, payload) => messages.push(`${topic}: ${payload}`))
  return messages
}

export function closed(client: MqttClient): Promise<void> {
  return new Promise((resolve) => client.once('close', resolve))
}
