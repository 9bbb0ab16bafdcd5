import { brokerPlace, brokerUrls } from '@qs-telemetry/protocol'
import { lanAddress } from '../accounts/lan-address.ts'
import type { Config } from '../config/settings.ts'
import { probePort } from '../endpoints/probe-port.ts'
import { type Finding, ok, warning } from './finding.ts'

/**
 * Whether passwords and events cross the network in clear text.
 *
 * @param address of this machine in its network
 */
export async function checkEncryption(
  { MQTT_URL: url, MQTT_PORT: port }: Pick<Config, 'MQTT_URL' | 'MQTT_PORT'>,
  address = lanAddress(),
): Promise<Finding> {
  const name = 'encryption'
  if (url === null) return checkEmbedded(name, { address, port })
  const clear = brokerUrls(url)
    .map(brokerPlace)
    .filter(({ protocol }) => protocol !== 'mqtts')
  if (clear.length === 0) return ok(name, 'mqtts to the broker')
  // A name without a dot is this host or one of its containers.
  const far = clear.find(({ host }) => !/^(127\.|::1$|localhost$)/.test(host) && /[.:]/.test(host))
  return far === undefined
    ? ok(name, `none to ${clear.map(({ host }) => host).join(', ')}, which is local`)
    : warning(
        name,
        `none to ${far.host}: password and events can be read in transit`,
        'Use mqtts:// in MQTT_URL',
      )
}

/** With `--lan` but without `--tls-only`, the embedded broker listens on every address of this machine without TLS. */
async function checkEmbedded(
  name: string,
  { address, port }: { readonly address: string; readonly port: number },
): Promise<Finding> {
  return address !== '127.0.0.1' && (await probePort(address, port)) === 'open'
    ? warning(
        name,
        `none: something listens on ${address}:${port}, as the embedded broker does with --lan; passwords and events cross the network in clear text`,
        'Move the boards to MQTT_TLS_PORT (qs device rotate --tls), then start qs up with --lan --tls-only: docs/tls.md',
      )
    : ok(name, 'the embedded broker has no port without TLS that the network can reach')
}
