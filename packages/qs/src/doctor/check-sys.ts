import { counted } from '../telemetry/counted.ts'
import type { BrokerContext } from './broker-context.ts'
import { BrokerProbe } from './broker-probe.ts'
import { type Finding, ok, unknown, warning } from './finding.ts'

const TOPICS = {
  version: '$SYS/broker/version',
  dropped: '$SYS/broker/publish/messages/dropped',
  retained: '$SYS/broker/retained messages/count',
  queued: '$SYS/broker/store/messages/count',
} as const

/** The topics are retained, so their messages arrive at once if there are any. */
const QUIET_MS = 1_000

/**
 * What the broker publishes about itself under $SYS; Mosquitto does, to clients that may read it. On a separate
 * connection: rumqttd ends that of a client that subscribes to it.
 */
export async function* checkSys({
  access,
  clientId,
  version,
}: Pick<BrokerContext, 'access' | 'clientId' | 'version'>): AsyncGenerator<Finding> {
  const options = { clientId: `${clientId}-sys`, clean: true, sessionExpirySeconds: 0, version }
  const probe = await BrokerProbe.open(access, options)
  try {
    yield* examine(probe)
  } finally {
    await probe.close()
  }
}

async function* examine(probe: BrokerProbe): AsyncGenerator<Finding> {
  const name = 'broker $SYS'
  const readable: string[] = []
  for (const topic of Object.values(TOPICS)) {
    if ((await probe.subscribe(topic, 0)) !== null) readable.push(topic)
  }
  if (!probe.isConnected)
    return yield unknown(name, 'the broker ends the connection of a client that asks for it')
  if (!readable.includes(TOPICS.dropped))
    return yield unknown(
      name,
      'this user may not read it, so neither the doctor nor an ingester with this account sees drops',
      `Allow this user and the ingester to read ${TOPICS.dropped}`,
    )
  const value = (topic: string) => probe.heard.find((each) => each.topic === topic)?.payload.toString()
  const hasAll = () => readable.every((topic) => value(topic) !== undefined)
  await probe.listen(hasAll, QUIET_MS)
  for (const topic of readable) await probe.unsubscribe(topic)

  const version = value(TOPICS.version)
  const dropped = value(TOPICS.dropped)
  if (version === undefined && dropped === undefined)
    return yield unknown(
      name,
      'the broker publishes nothing (like the embedded one), or this user may not read it',
    )
  yield readable.length < Object.keys(TOPICS).length
    ? ok(name, 'this user may read the number of drops, but not everything else')
    : ok(
        name,
        `${version ?? 'no version'}, ${value(TOPICS.retained) ?? '?'} retained, ${value(TOPICS.queued) ?? '?'} stored messages`,
      )
  if (dropped === undefined) yield unknown('broker drops', 'it does not count them')
  else if (Number(dropped) === 0) yield ok('broker drops', 'none since the broker started')
  else
    yield warning(
      'broker drops',
      `${counted(Number(dropped), 'message')} dropped since the broker started, for any client`,
      'Raise max_queued_messages and max_queued_bytes; the ingester raises an alarm when the number grows',
    )
}
