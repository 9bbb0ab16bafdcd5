import { connectBroker } from '@qs-telemetry/device'
import { brokerUrls } from '@qs-telemetry/protocol'
import type { Config } from '../config/settings.ts'
import { brokerError } from '../endpoints/broker-error.ts'
import { brokerOptions } from '../endpoints/broker-options.ts'
import { QsError } from '../errors/qs-error.ts'

/**
 * Subscribes to topics until Ctrl-C. Uses MQTT 3.1.1, which every broker supports.
 *
 * @throws QsError if the broker refuses; after a later disconnect it reconnects
 */
export async function watchTopics(
  config: Config,
  topics: readonly string[],
  onMessage: (topic: string, payload: Buffer) => void,
): Promise<void> {
  const { url, mqtt: tls, ...credentials } = brokerOptions(config)
  const client = connectBroker(url, { ...tls, ...credentials, protocolVersion: 4, reconnectPeriod: 1_000 })
  client.on('message', onMessage)
  let wasConnected = false
  let untried = brokerUrls(url).length
  await new Promise<void>((resolve, reject) => {
    process.once('SIGINT', resolve).once('SIGTERM', resolve)
    client.on('connect', () => {
      wasConnected = true
      client.subscribe([...topics], { qos: 0 }, (error) => {
        if (error) reject(new QsError('BROKER_FORBIDS', `This user may not subscribe: ${error.message}`))
      })
    })
    let hasFailed = false
    const fail = (error: QsError) => {
      if (!wasConnected && --untried === 0) reject(error)
    }
    client.on('error', (error) => {
      hasFailed = true
      fail(brokerError(url, error))
    })
    // Follows an error too. Alone, the broker ended the login without a word.
    client.on('close', () => {
      if (!hasFailed)
        fail(new QsError('BROKER_ENDED_LOGIN', `The broker at ${url} ended the login of MQTT 3.1.1`))
      hasFailed = false
    })
  }).finally(() => client.endAsync(true))
}
