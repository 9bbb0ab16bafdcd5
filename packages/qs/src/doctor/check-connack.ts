import type { IConnackPacket } from 'mqtt'
import type { Config } from '../config/settings.ts'
import { type Finding, ok, problem, unknown, warning } from './finding.ts'

/** What the broker says of its limits when a client connects [MQTT 5, 3.2.2.3]. */
export function checkConnack({ properties = {} }: IConnackPacket, version: 4 | 5, config: Config): Finding[] {
  if (version === 4)
    return [unknown('broker limits', 'MQTT 3.1.1 has no way to say them; the live tests below find out')]
  const { maximumQoS, receiveMaximum, sharedSubscriptionAvailable, sessionExpiryInterval } = properties
  const findings: Finding[] = []
  // Absent means 2.
  if (maximumQoS === 0)
    findings.push(
      problem(
        'broker QoS',
        'it takes QoS 0 only',
        'Use a broker with QoS 1: without it a crash loses events',
      ),
    )
  else findings.push(ok('broker QoS', `up to ${maximumQoS ?? 2}`))

  const askedSeconds = Math.round(config.MQTT_SESSION_EXPIRY / 1000)
  if (sessionExpiryInterval !== undefined && sessionExpiryInterval < askedSeconds)
    findings.push(
      warning(
        'broker session expiry',
        `it keeps a session for ${sessionExpiryInterval} s, not the ${askedSeconds} s of MQTT_SESSION_EXPIRY`,
        'Raise it at the broker: after that time without an ingester, what is queued is gone',
      ),
    )
  if (config.MQTT_EVENTS_TOPIC.filter.startsWith('$share/') && Number(sharedSubscriptionAvailable ?? 1) === 0)
    findings.push(
      problem('broker shared subscriptions', 'it has none', 'Take $share/… out of MQTT_EVENTS_TOPIC'),
    )
  findings.push(ok('broker window', `${receiveMaximum ?? 65_535} messages of ours under way at once`))
  return findings
}
