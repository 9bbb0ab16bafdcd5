import { connect } from 'node:net'
import type { Config } from '../config/settings.ts'
import type { DeviceLogin } from './device-login.ts'
import { lanAddress } from './lan-address.ts'

const TIMEOUT_MS = 2_000

/** Whether the embedded broker of this machine also takes connections from the network; true for every other broker. */
export function listensOnNetwork(
  config: Config,
  { port }: DeviceLogin,
  host = lanAddress(),
): Promise<boolean> {
  if (config.MQTT_URL !== null || config.MQTT_PUBLIC_URL !== null) return Promise.resolve(true)
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: TIMEOUT_MS })
    const end = (isOpen: boolean) => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(true))
    socket.once('error', () => end(false))
  })
}
