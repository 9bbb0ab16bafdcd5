import type { Config } from '../config/settings.ts'
import { probePort } from '../endpoints/probe-port.ts'
import type { DeviceLogin } from './device-login.ts'
import { lanAddress } from './lan-address.ts'

/** Whether the embedded broker of this machine also takes connections from the network; true for every other broker. */
export async function listensOnNetwork(
  config: Config,
  { port }: DeviceLogin,
  host = lanAddress(),
): Promise<boolean> {
  if (config.MQTT_URL !== null || config.MQTT_PUBLIC_URL !== null) return true
  return (await probePort(host, port)) !== 'refused'
}
