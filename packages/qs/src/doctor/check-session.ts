import { reasonOf } from '../errors/reason-of.ts'
import type { BrokerContext } from './broker-context.ts'
import { BrokerProbe } from './broker-probe.ts'
import { type Finding, ok, problem, warning } from './finding.ts'

const QOS0_MESSAGES = 5
/** Messages in flight at once: with MQTT 3.1.1, where a broker announces no limit, and at most. */
const [FEW_AT_ONCE, MANY_AT_ONCE] = [10, 100]
const QUIET_MS = 2_000
/** Long enough for the test; removes the session of a doctor that was killed (MQTT 5). */
const EXPIRY_SECONDS = 300

/**
 * Tests whether the broker keeps messages for a client that is away: opens a session, disconnects, publishes, and
 * counts what comes back.
 */
export async function* checkSession(context: BrokerContext): AsyncGenerator<Finding> {
  const { access, version, clientId, prefix, probe, queueMessages } = context
  const topic = `${prefix}/queue`
  const session = {
    clientId: `${clientId}-queue`,
    clean: false,
    sessionExpirySeconds: EXPIRY_SECONDS,
    version,
  }
  const before = await BrokerProbe.open(access, session)
  await before.subscribe(topic, 1)
  await before.close()

  for (let n = 0; n < QOS0_MESSAGES; n++) await probe.publish(topic, 'qos0', 0)
  const denied = await publishMany(context, topic)

  const after = await BrokerProbe.open(access, session)
  const count = (payload: string) => after.heard.filter((each) => each.payload.toString() === payload).length
  // Counts by payload only once there are enough messages: a queue can be long.
  await after.listen((heard) => heard.length >= queueMessages && count('qos1') === queueMessages, QUIET_MS)
  const { sessionPresent } = after.connack
  const upgraded = after.heard.filter(({ payload, qos }) => payload.toString() === 'qos0' && qos > 0).length
  await after.close()

  yield sessionPresent
    ? ok('broker session', 'kept while its client is away')
    : problem(
        'broker session',
        'not kept while its client is away: messages sent in the meantime are lost',
        'Make the broker keep sessions (Mosquitto: persistence true, no persistent_client_expiration of minutes)',
      )
  if (!sessionPresent) return
  yield queueFinding(count('qos1'), queueMessages, denied)
  yield qos0Finding(count('qos0'), upgraded)
}

/** Publishes with as many messages in flight as the broker allows. @returns the first refusal, or null */
async function publishMany(
  { probe, version, queueMessages }: BrokerContext,
  topic: string,
): Promise<Error | null> {
  const { receiveMaximum = version === 5 ? MANY_AT_ONCE : FEW_AT_ONCE } = probe.connack.properties ?? {}
  let left = queueMessages
  let denied: Error | null = null
  const publishSome = async () => {
    while (left-- > 0 && denied === null) {
      await probe.publish(topic, 'qos1', 1).catch((error: Error) => {
        denied ??= error
      })
    }
  }
  await Promise.all(Array.from({ length: Math.min(receiveMaximum, MANY_AT_ONCE) }, publishSome))
  return denied
}

function queueFinding(back: number, sent: number, denied: Error | null): Finding {
  const name = 'broker queue'
  if (denied === null && back >= sent)
    return ok(name, `all ${sent} messages came back; its capacity beyond that is not tested`)
  const why = denied === null ? '' : `; it reported: ${reasonOf(denied)}`
  return problem(
    name,
    `${back} of ${sent} messages sent while the client was away came back${why}`,
    'Raise max_queued_messages (1000000) and max_queued_bytes at the broker: messages beyond them are lost despite their PUBACK',
  )
}

function qos0Finding(back: number, upgraded: number): Finding {
  const name = 'broker QoS 0'
  const advice =
    'Devices that publish with QoS 0 must keep each event until its device ack. Mosquitto keeps such messages with upgrade_outgoing_qos true, but then a device can fill its own queue too: docs/compose.md'
  if (upgraded === QOS0_MESSAGES) return ok(name, 'kept for the ingester like QoS 1')
  if (back > 0)
    return warning(
      name,
      `${back} of ${QOS0_MESSAGES} kept while the ingester is away but delivered with QoS 0, so a crash of the ingester loses them`,
      advice,
    )
  return warning(name, 'messages with QoS 0 are lost while the ingester is away', advice)
}
