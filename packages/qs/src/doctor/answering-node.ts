import { randomUUID } from 'node:crypto'
import { brokerUrls } from '@qs-telemetry/protocol'
import type { IConnackPacket } from 'mqtt'
import type { BrokerAccess } from '../endpoints/broker-options.ts'
import { BrokerProbe } from './broker-probe.ts'

/**
 * The first node of a broker that takes the login, and what it said in CONNACK.
 *
 * @throws QsError why the last node did not
 */
export async function answeringNode({ url: urls, ...login }: BrokerAccess): Promise<{
  readonly url: string
  readonly connack: IConnackPacket
}> {
  const options = {
    clientId: `qs-node-${randomUUID().slice(0, 8)}`,
    clean: true,
    sessionExpirySeconds: 0,
  }
  let failure: unknown
  for (const url of brokerUrls(urls)) {
    try {
      const { probe } = await BrokerProbe.openAny({ url, ...login }, options)
      await probe.close()
      return { url, connack: probe.connack }
    } catch (error) {
      failure = error
    }
  }
  throw failure
}
