import mqtt from 'mqtt'
import type { Config } from '../config/settings.ts'
import { brokerOptions } from '../endpoints/broker-options.ts'
import { CliError } from './exit.ts'

/**
 * Subscribes to topics until Ctrl-C. Uses MQTT 3.1.1, which every broker supports.
 *
 * @throws CliError if the broker refuses; after a later disconnect it reconnects
 */
export async function watchTopics(
  config: Config,
  topics: readonly string[],
  onMessage: (topic: string, payload: Buffer) => void,
): Promise<void> {
  const { url, mqtt: tls, ...credentials } = brokerOptions(config)
  const client = mqtt.connect(url, { ...tls, ...credentials, protocolVersion: 4, reconnectPeriod: 1_000 })
  client.on('message', onMessage)
  let wasConnected = false
  await new Promise<void>((resolve, reject) => {
    process.once('SIGINT', resolve).once('SIGTERM', resolve)
    client.on('connect', () => {
      wasConnected = true
      client.subscribe([...topics], { qos: 0 }, (error) => {
        if (error) reject(new CliError(`This user may not subscribe: ${error.message}`))
      })
    })
    client.on('error', (error) => {
      if (!wasConnected)
        reject(new CliError(`No connection to ${url}: ${reasonOf(error)}. Is it running? qs up starts one.`))
    })
  }).finally(() => client.endAsync(true))
}

function reasonOf(error: Error): string {
  return error instanceof AggregateError ? String((error.errors[0] as Error).message) : error.message
}
