import type { BrokerContext } from './broker-context.ts'
import { type Finding, ok, problem, unknown } from './finding.ts'

const NAME = 'broker shared subscriptions'
const QUIET_MS = 2_000

/**
 * Whether a message arrives through a shared subscription, in a group of the doctor's own: a broker that does not know
 * them grants `$share/…` over 3.1.1 as if it were an ordinary topic, and nothing ever comes.
 */
export async function checkShared({
  prefix,
  clientId,
  probe,
}: Pick<BrokerContext, 'prefix' | 'clientId' | 'probe'>): Promise<Finding> {
  const advice = 'Remove $share/… from MQTT_EVENTS_TOPIC, or use a broker with shared subscriptions'
  if (Number(probe.connack.properties?.sharedSubscriptionAvailable ?? 1) === 0)
    return problem(NAME, 'not supported', advice)
  const topic = `${prefix}/shared`
  const filter = `$share/${clientId}/${topic}`
  if ((await probe.subscribe(filter, 1)) === null)
    return unknown(NAME, `this user may not subscribe to ${filter}, so they are not tested`)
  await probe.publish(topic, 'shared', 1).catch(() => {})
  const hasArrived = await probe.listen((heard) => heard.some((each) => each.topic === topic), QUIET_MS)
  await probe.unsubscribe(filter)
  return hasArrived
    ? ok(NAME, 'a message arrived through $share/…')
    : problem(NAME, '$share/… is granted, but nothing arrives through it: an ingester gets no event', advice)
}
