import { randomUUID } from 'node:crypto'
import { brokerUrls } from '@qs-telemetry/protocol'
import type { Config } from '../config/settings.ts'
import { BrokerProbe } from '../doctor/broker-probe.ts'
import { pubackIsCommit } from '../doctor/puback-is-commit.ts'
import { brokerAccess } from '../endpoints/broker-options.ts'

/** Whether the broker says that its PUBACK means committed: that of qs up. @throws QsError if it is unreachable or refuses */
export async function promisesCommit(config: Config): Promise<boolean> {
  const clientId = `qs-verify-${randomUUID().slice(0, 8)}`
  const { url: urls, ...login } = brokerAccess(config)
  let failure: unknown
  for (const url of brokerUrls(urls)) {
    try {
      const options = { clientId, clean: true, sessionExpirySeconds: 0 }
      const { probe } = await BrokerProbe.openAny({ url, ...login }, options)
      await probe.close()
      return pubackIsCommit(probe.connack)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}
