import { connectBroker } from '@qs-telemetry/device'
import { brokerUrls } from '@qs-telemetry/protocol'
import type { IClientOptions, MqttClient } from 'mqtt'
import { QsError } from '../errors/qs-error.ts'

/**
 * Connects to the first node of a broker that takes the connection; a later reconnect tries them in turn.
 *
 * @throws the error of the last node
 */
export async function connectOnce(urls: string, options: IClientOptions): Promise<MqttClient> {
  const nodes = brokerUrls(urls)
  let failure: unknown
  for (const index of nodes.keys()) {
    const inTurn = [...nodes.slice(index), ...nodes.slice(0, index)]
    try {
      return await connected(connectBroker(inTurn.join(','), options))
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

function connected(client: MqttClient): Promise<MqttClient> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      client.end(true)
      reject(error)
    }
    const onClose = () => fail(new QsError('BROKER_NO_ANSWER', 'The broker closed the connection'))
    client.on('error', fail)
    client.on('close', onClose)
    client.once('connect', () => {
      client.off('error', fail)
      client.off('close', onClose)
      resolve(client)
    })
  })
}
