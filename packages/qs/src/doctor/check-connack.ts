import type { IConnackPacket } from 'mqtt'
import type { Config } from '../config/settings.ts'
import { type Finding, ok, problem, unknown, warning } from './finding.ts'

const MAX_INT32_MS = 2 ** 31 - 1
/** What clients commonly send at once without asking; our own device client sends 32. */
const MIN_WINDOW = 32

/** The limits that the broker announces in CONNACK [MQTT 5, 3.2.2.3]. */
export function checkConnack(connack: IConnackPacket, version: 4 | 5, config: Config): Finding[] {
  if (version === 4)
    return [unknown('broker limits', 'MQTT 3.1.1 cannot announce them; the live tests below measure them')]
  const { maximumQoS, sessionExpiryInterval } = connack.properties ?? {}
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
  else if (config.MQTT_SESSION_EXPIRY > MAX_INT32_MS)
    findings.push(
      warning(
        'broker session expiry',
        'MQTT_SESSION_EXPIRY is more than 24 days, 32 bits of milliseconds: some brokers, Artemis among them, lose such a session at once',
        'Set MQTT_SESSION_EXPIRY to 24d or less',
      ),
    )
  findings.push(windowOf(connack))
  return findings
}

export function windowOf({ properties }: IConnackPacket): Finding {
  const name = 'broker window'
  const { receiveMaximum = 65_535 } = properties ?? {}
  return receiveMaximum >= MIN_WINDOW
    ? ok(name, `accepts ${receiveMaximum} messages in flight from a client`)
    : warning(
        name,
        `accepts only ${receiveMaximum} messages in flight from a client. A client that ignores this, as many do, is disconnected (0x93) when it has a queue to send`,
        'Raise Receive Maximum at the broker (HiveMQ: server-receive-maximum), or see that each device obeys it',
      )
}
