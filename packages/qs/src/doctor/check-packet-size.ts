import { reasonOf } from '../errors/reason-of.ts'
import type { BrokerContext } from './broker-context.ts'
import { BrokerProbe } from './broker-probe.ts'
import { type Finding, ok, problem } from './finding.ts'

const NAME = 'broker message size'
const BACK_MS = 5_000

/** Sends a message of the maximum size through the broker and back. */
export async function checkPacketSize(context: BrokerContext): Promise<Finding> {
  const { config, prefix, probe, access, version, clientId } = context
  const bytes = config.LIMIT_MESSAGE_BYTES
  const advice = `Raise max_packet_size (and message_size_limit) at the broker above ${bytes}, or lower LIMIT_MESSAGE_BYTES`
  const maximum = probe.connack.properties?.maximumPacketSize
  if (maximum !== undefined && maximum < bytes + 2 * prefix.length)
    return problem(
      NAME,
      `the broker accepts packets of ${maximum} bytes, LIMIT_MESSAGE_BYTES is ${bytes}`,
      advice,
    )

  const topic = `${prefix}/size`
  await probe.subscribe(topic, 1)
  // On a separate connection, since a broker may close the connection of a client that sends too much.
  const options = { clientId: `${clientId}-size`, clean: true, sessionExpirySeconds: 0, version }
  const sender = await BrokerProbe.open(access, options)
  const refusal = await sender.publish(topic, Buffer.alloc(bytes, 'x'), 1).catch((error: Error) => error)
  const isBack =
    refusal === undefined &&
    (await probe.listen(
      (heard) => heard.some((each) => each.topic === topic && each.payload.length === bytes),
      BACK_MS,
    ))
  await sender.close()
  await probe.unsubscribe(topic)
  if (isBack) return ok(NAME, `a message of LIMIT_MESSAGE_BYTES (${bytes}) came back`)
  const why = refusal === undefined ? 'it got a PUBACK but was not delivered' : reasonOf(refusal)
  return problem(NAME, `a message of LIMIT_MESSAGE_BYTES (${bytes}) did not come back: ${why}`, advice)
}
