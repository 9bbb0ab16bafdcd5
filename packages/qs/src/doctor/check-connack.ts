import type { IConnackPacket } from 'mqtt'
import type { Config } from '../config/settings.ts'
import { type Finding, ok, problem, unknown, warning } from './finding.ts'

/** The limits that the broker announces in CONNACK [MQTT 5, 3.2.2.3]. */
export function checkConnack(connack: IConnackPacket, version: 4 | 5, config: Config): Finding[] {
  if (version === 4)
    return [unknown('broker limits', 'MQTT 3.1.1 cannot announce them; the live tests below measure them')]
  const { maximumQoS, sharedSubscriptionAvailable, sessionExpiryInterval } = connack.properties ?? {}
  const findings: Finding[] = []
  // Absent means 2.
  if (maximumQoS === 0)
    findings.push(
      problem(
        'broker QoS',
        'it supports only QoS 0',
        'Use a broker with QoS 1: without it, a crash loses events',
      ),
    )
  else findings.push(ok('broker QoS', `up to ${maximumQoS ?? 2}`))

  const askedSeconds = Math.round(config.MQTT_SESSION_EXPIRY / 1000)
  if (sessionExpiryInterval !== undefined && sessionExpiryInterval < askedSeconds)
    findings.push(
      warning(
        'broker session expiry',
        `it keeps a session for ${sessionExpiryInterval} s, not the ${askedSeconds} s of MQTT_SESSION_EXPIRY`,
        'Raise it at the broker: after that time without an ingester, queued messages are gone',
      ),
    )
  if (config.MQTT_EVENTS_TOPIC.filter.startsWith('$share/') && Number(sharedSubscriptionAvailable ?? 1) === 0)
    findings.push(
      problem('broker shared subscriptions', 'not supported', 'Remove $share/… from MQTT_EVENTS_TOPIC'),
    )
  findings.push(windowOf(connack))
  return findings
}

export function windowOf({ properties }: IConnackPacket): Finding {
  return ok(
    'broker window',
    `accepts ${properties?.receiveMaximum ?? 65_535} messages in flight from a client`,
  )
}
