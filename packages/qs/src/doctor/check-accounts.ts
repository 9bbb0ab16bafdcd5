import { randomUUID } from 'node:crypto'
import type { BrokerContext } from './broker-context.ts'
import { BrokerProbe } from './broker-probe.ts'
import { type Finding, ok, warning } from './finding.ts'

/** Whether the broker admits clients without an account. */
export async function checkAccounts({ access, version, clientId }: BrokerContext): Promise<Finding> {
  const { username: _, password: __, ...place } = access
  const admits = async (login: { readonly username?: string; readonly password?: string }) => {
    const options = { clientId: `${clientId}-nobody`, clean: true, sessionExpirySeconds: 0, version }
    const probe = await BrokerProbe.open({ ...place, ...login }, options).catch(() => null)
    await probe?.close()
    return probe !== null
  }
  const whom = (await admits({}))
    ? 'clients without a user name'
    : (await admits({ username: clientId, password: randomUUID() }))
      ? 'any user name with any password'
      : null
  return whom === null
    ? ok('broker accounts', 'it admits only users that it knows')
    : warning(
        'broker accounts',
        `it admits ${whom}: anyone who reaches it may send events for any device and read all of them, unless its access rules say otherwise`,
        'Give each device an account of its own: docs/devices.md for Mosquitto, the manual of the broker for others',
      )
}
