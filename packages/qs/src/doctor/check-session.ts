import type { BrokerContext } from './broker-context.ts'
import { BrokerProbe } from './broker-probe.ts'
import { type Finding, ok, problem, warning } from './finding.ts'

const QOS0_MESSAGES = 5
/** Under way at once: the fewest that a broker says it takes, and a hundred at most. */
const [FEW_AT_ONCE, MANY_AT_ONCE] = [10, 100]
const QUIET_MS = 2_000
/** Long enough for the test; a broker forgets by itself what a doctor left who was killed (MQTT 5). */
const EXPIRY_SECONDS = 300

/**
 * What becomes of messages while nobody is there to take them: a session is opened and left, messages are published,
 * and what comes back is counted.
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
  // Looked at closely only when there may be enough: a queue can be long.
  await after.listen((heard) => heard.length >= queueMessages && count('qos1') === queueMessages, QUIET_MS)
  const { sessionPresent } = after.connack
  const upgraded = after.heard.filter(({ payload, qos }) => payload.toString() === 'qos0' && qos > 0).length
  await after.close()

  yield sessionPresent
    ? ok('broker session', 'kept while its client is away')
    : problem(
        'broker session',
        'not kept while its client is away: what is sent meanwhile is lost',
        'Let the broker keep sessions (Mosquitto: persistence true, no persistent_client_expiration of minutes)',
      )
  if (!sessionPresent) return
  yield queueFinding(count('qos1'), queueMessages, denied)
  yield qos0Finding(count('qos0'), upgraded)
}

/** As many under way as the broker lets us have. Gives the first refusal, or null. */
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
    return ok(name, `all of ${sent} messages came back; how many more it holds is not tried`)
  const why = denied === null ? '' : `, and said so: ${denied.message}`
  return problem(
    name,
    `of ${sent} messages that were sent while nobody was there, ${back} came back${why}`,
    'Raise max_queued_messages (1000000) and max_queued_bytes at the broker: what exceeds them is lost, with good PUBACKs',
  )
}

function qos0Finding(back: number, upgraded: number): Finding {
  const name = 'broker QoS 0'
  const advice =
    'Devices that publish with QoS 0 must keep each event until its device ack. Mosquitto keeps such messages with upgrade_outgoing_qos true, and then a device can fill its own queue too: docs/compose.md'
  if (upgraded === QOS0_MESSAGES) return ok(name, 'kept for the ingester like QoS 1')
  if (back > 0)
    return warning(
      name,
      `${back} of ${QOS0_MESSAGES} kept while the ingester is away, and delivered with QoS 0: its crash loses them`,
      advice,
    )
  return warning(name, 'what devices publish with QoS 0 is lost while the ingester is away', advice)
}
