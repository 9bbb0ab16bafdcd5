import { randomUUID } from 'node:crypto'
import { ackTopic } from '@qs-telemetry/protocol'
import type { Config } from '../config/settings.ts'
import type { BrokerAccess } from '../endpoints/broker-options.ts'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import type { BrokerContext } from './broker-context.ts'
import { BrokerProbe } from './broker-probe.ts'
import { checkAccounts } from './check-accounts.ts'
import { checkConnack, windowOf } from './check-connack.ts'
import { checkPacketSize } from './check-packet-size.ts'
import { checkSession } from './check-session.ts'
import { checkShared } from './check-shared.ts'
import { checkSys } from './check-sys.ts'
import { type Finding, ok, problem, unknown, warning } from './finding.ts'
import { pubackIsCommit } from './puback-is-commit.ts'

const DEVICE_ID = 'qs-doctor'
const ECHO_MS = 3_000

/** All checks of the broker: the limits it announces and, more important, how it behaves. */
export async function* checkBroker(
  config: Config,
  access: BrokerAccess,
  queueMessages: number,
): AsyncGenerator<Finding> {
  const run = randomUUID().slice(0, 8)
  const clientId = `qs-doctor-${run}`
  const opened = await open(access, clientId, config)
  if (!(opened.probe instanceof BrokerProbe)) return yield opened.probe
  const { probe, version } = opened
  const prefix = `${config.MQTT_EVENTS_TOPIC.topicOf(DEVICE_ID)}/check/${run}`
  const context = { config, access, version, prefix, clientId, probe, queueMessages }
  try {
    yield ok(
      'broker connection',
      `${access.url} with MQTT ${version === 5 ? '5.0' : '3.1.1'}${access.username === undefined ? ', without a user' : ` as ${access.username}`}`,
    )
    if (pubackIsCommit(probe.connack)) yield* checkDirect(context)
    else yield* checkBetween(context)
  } finally {
    await probe.close()
    await forget(context)
  }
}

/** The broker of qs up: events need no subscription, session or queue of an ingester. */
async function* checkDirect(context: BrokerContext): AsyncGenerator<Finding> {
  yield windowOf(context.probe.connack)
  yield ok(
    'broker PUBACK',
    'the broker says in CONNACK (user property puback: committed) that the PUBACK of an event follows its COMMIT. Not tested here: qs verify tests it',
  )
  if (await echoes(context)) yield await checkPacketSize(context)
  else yield noEcho(context, 'the packet size is')
}

/** A broker that keeps the messages between the devices and an ingester. */
async function* checkBetween(context: BrokerContext): AsyncGenerator<Finding> {
  const { config, probe, version } = context
  yield* checkConnack(probe.connack, version, config)
  yield await checkAccounts(context)
  yield await checkSubscription(context)
  yield await checkAckRight(context)
  yield* checkSys(context)
  if (await echoes(context)) {
    yield await checkPacketSize(context)
    if (config.MQTT_EVENTS_TOPIC.filter.startsWith('$share/')) yield await checkShared(context)
    yield* checkSession(context)
  } else yield noEcho(context, 'queue, session, QoS 0, shared subscriptions and packet size are')
  yield unknown(
    'broker crash',
    'whether its store survives a crash cannot be tested from outside',
    'Mosquitto: persistence true, autosave_interval 60; each save writes the whole store. Devices send again what a crash loses, since it has no device ack',
  )
}

function noEcho({ prefix }: BrokerContext, what: string): Finding {
  return unknown(
    'broker live tests',
    `messages published to ${prefix} do not come back to this user, so ${what} not tested`,
    'Run the doctor with the operator account (MQTT_USERNAME)',
  )
}

async function open(
  access: BrokerAccess,
  clientId: string,
  config: Config,
): Promise<{ readonly probe: BrokerProbe | Finding; readonly version: 4 | 5 }> {
  const sessionExpirySeconds = Math.min(Math.round(config.MQTT_SESSION_EXPIRY / 1000), 0xffff_ffff)
  try {
    return await BrokerProbe.openAny(access, { clientId, clean: true, sessionExpirySeconds })
  } catch (error) {
    if (!(error instanceof QsError)) throw error
    return { probe: problem('broker connection', error.problem, error.entry.advice), version: 4 }
  }
}

/** Subscribes without `$share`, which would take messages from the ingesters. */
async function checkSubscription({ config, probe }: BrokerContext): Promise<Finding> {
  const name = 'broker subscription'
  const filter = config.MQTT_EVENTS_TOPIC.topicOf('+')
  const granted = await probe.subscribe(filter, 1)
  await probe.unsubscribe(filter)
  if (granted === null)
    return problem(
      name,
      `this user may not subscribe to ${filter}`,
      'Grant it in the access rules of the broker',
    )
  if (granted === 0)
    return problem(
      name,
      `${filter} is granted with QoS 0 only`,
      'Without QoS 1, a crash loses messages in flight',
    )
  return ok(name, `${filter} with QoS ${granted}`)
}

async function checkAckRight({ config, probe, version }: BrokerContext): Promise<Finding> {
  const name = 'broker device acks'
  const topic = ackTopic(config.ACK_TEMPLATE, DEVICE_ID)
  if (version === 4) return unknown(name, 'MQTT 3.1.1 does not say when a publish is denied')
  try {
    await probe.publish(topic, '{}', 1)
    return ok(name, `this user may publish to ${topic}`)
  } catch (error) {
    return warning(
      name,
      `this user may not publish to ${topic}: ${reasonOf(error)}`,
      'The ingester needs this right. Ignore this if the doctor runs with another account',
    )
  }
}

async function echoes({ prefix, probe }: BrokerContext): Promise<boolean> {
  const topic = `${prefix}/echo`
  if ((await probe.subscribe(topic, 1)) === null) return false
  await probe.publish(topic, 'echo', 1).catch(() => {})
  return probe.listen((heard) => heard.some((each) => each.topic === topic), ECHO_MS)
}

/** Removes the doctor's sessions from the broker. */
async function forget({ access, clientId, version }: BrokerContext): Promise<void> {
  for (const id of [clientId, `${clientId}-queue`]) {
    const options = { clientId: id, clean: true, sessionExpirySeconds: 0, version }
    const probe = await BrokerProbe.open(access, options).catch(() => null)
    await probe?.close()
  }
}
