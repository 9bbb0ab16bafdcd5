import { randomUUID } from 'node:crypto'
import type { Config } from '../config/settings.ts'
import { BrokerProbe } from '../doctor/broker-probe.ts'
import { pubackIsCommit } from '../doctor/puback-is-commit.ts'
import { brokerAccess } from '../endpoints/broker-options.ts'

/** Whether the broker says that its PUBACK means committed: that of qs up. @throws QsError if it is unreachable or refuses */
export async function promisesCommit(config: Config): Promise<boolean> {
  const options = { clean: true, sessionExpirySeconds: 0, version: 5 } as const
  const clientId = `qs-verify-${randomUUID().slice(0, 8)}`
  const probe = await BrokerProbe.open(brokerAccess(config), { ...options, clientId })
  await probe.close()
  return pubackIsCommit(probe.connack)
}
