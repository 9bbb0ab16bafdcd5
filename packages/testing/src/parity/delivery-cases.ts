import { until } from '../until.ts'
import type { Client, Qos } from './client.ts'
import type { ParityCase, World } from './parity-case.ts'

const QOS = [0, 1, 2] as const
/** Filters of a subscription with QoS `granted`, for the topic `t`; the overlapping ones also have a lower QoS. */
const FILTERS: Readonly<Record<string, (world: World, granted: Qos) => Record<string, Qos>>> = {
  'the exact topic': (world, qos) => ({ [world.topic()]: qos }),
  'the wildcard +': (world, qos) => ({ [world.topic('+')]: qos }),
  'the wildcard #': (world, qos) => ({ [world.topic('#')]: qos }),
  'overlapping filters': (world, qos) => ({
    [world.topic()]: 0,
    [world.topic('#')]: qos,
    [world.topic('+')]: 0,
  }),
}

/** The highest QoS at which messages of QoS 0, 1 and 2 arrive, for subscriptions with QoS 0, 1 and 2. */
async function matrix(world: World, filter: string, isDurable: boolean): Promise<string> {
  const rows = await Promise.all(
    QOS.map(async (granted) => {
      const options = isDurable ? world.durableOptions(`s${granted}`) : {}
      const subscriber = await world.connect(options)
      await subscriber.subscribe(FILTERS[filter]?.(world, granted) ?? {})
      return { granted, subscriber }
    }),
  )
  const helper = await world.helper()
  for (const qos of QOS) await helper.publish(world.topic(), `qos ${qos}`, { qos })
  const cells = await Promise.all(
    rows.map(async ({ granted, subscriber }) => {
      const marker = world.topic(`marker${granted}`)
      await subscriber.subscribe({ [marker]: 1 })
      const messages = await subscriber.payloadsBefore(helper, marker)
      return QOS.map((qos) => {
        const copies = messages.filter(({ payload }) => payload.toString() === `qos ${qos}`)
        return copies.length === 0 ? '-' : Math.max(...copies.map((copy) => copy.qos))
      }).join(' ')
    }),
  )
  return cells.join(', ')
}

const MATRIX_DEVIATIONS: Readonly<Record<string, ParityCase['deviations']>> = {
  'overlapping filters': {
    mosquitto: {
      version: 4,
      observed: '0 0 0, 0 0 0, 0 0 0',
      why: 'Mosquitto 2.0.11 delivers it once to a 3.1.1 client, for the first matching subscription',
    },
  },
}

const MATRIX = Object.keys(FILTERS).flatMap((filter) =>
  ['clean', 'durable'].map(
    (session): ParityCase => ({
      name: `messages of QoS 0, 1, 2 to subscriptions with QoS 0, 1, 2: ${filter}, ${session} session`,
      clause:
        filter === 'overlapping filters'
          ? '[MQTT-3.3.5-1], 3.1.1; [MQTT-3.3.4-2], 5'
          : '[MQTT-3.8.4-6], 3.1.1; [MQTT-3.8.4-8], 5',
      versions: [4, 5],
      expected: '0 0 0, 0 1 1, 0 1 2',
      deviations: MATRIX_DEVIATIONS[filter] ?? {},
      observe: (world) => matrix(world, filter, session === 'durable'),
    }),
  ),
)

const describe = ({ qos, dup, messageId }: { qos: Qos; dup: boolean; messageId?: number | undefined }) =>
  `QoS ${qos}, DUP ${Number(dup)}, id ${messageId}`

/** What arrives after a reconnect for a message that was not answered. */
async function redelivery(world: World, qos: Qos): Promise<string> {
  const first = await world.durable('s', { silent: true })
  await first.subscribe({ [world.topic()]: qos })
  await (await world.helper()).publish(world.topic(), 'x', { qos })
  const original = await first.wait('publish')
  await first.vanish()
  const again = await (await world.durable('s')).wait('publish')
  return again.messageId === original.messageId
    ? describe(again).replace(/id \d+/, 'the same id')
    : describe(again)
}

const REDELIVERY: readonly ParityCase[] = [
  ...([1, 2] as const).map(
    (qos): ParityCase => ({
      name: `an unanswered QoS ${qos} message, after a reconnect`,
      clause: '[MQTT-4.4.0-1], [MQTT-3.3.1-1]; [MQTT-4.3.2-3], [MQTT-4.3.3-3], 5',
      versions: [4, 5],
      expected: `QoS ${qos}, DUP 1, the same id`,
      observe: (world) => redelivery(world, qos),
    }),
  ),
  {
    name: 'a QoS 2 message with PUBREC and without PUBCOMP, after a reconnect',
    clause: '[MQTT-4.4.0-1]; [MQTT-4.3.3-6], 5',
    versions: [4, 5],
    expected: 'PUBREL with the same id',
    observe: async (world) => {
      const first = await world.durable('s', { silent: true })
      await first.subscribe({ [world.topic()]: 2 })
      await (await world.helper()).publish(world.topic(), 'x', { qos: 2 })
      const { messageId = 0 } = await first.wait('publish')
      first.send({ cmd: 'pubrec', messageId })
      await first.wait('pubrel')
      await first.vanish()
      const second = await world.durable('s', { silent: true })
      const pubrel = await second.wait('pubrel')
      const publishes = second.of('publish').length
      return `${publishes > 0 ? 'PUBLISH, ' : ''}PUBREL with ${pubrel.messageId === messageId ? 'the same id' : 'another id'}`
    },
  },
  {
    name: 'an unanswered message in a clean session, after a reconnect',
    clause: '[MQTT-3.1.2-6], 3.1.1; [MQTT-3.1.2-4], 5',
    versions: [4, 5],
    expected: 'nothing',
    observe: async (world) => {
      const clientId = world.id('s')
      const first = await world.connect({ clientId, silent: true })
      await first.subscribe({ [world.topic()]: 1 })
      const helper = await world.helper()
      await helper.publish(world.topic(), 'x', { qos: 1 })
      await first.wait('publish')
      await first.vanish()
      const second = await world.connect({ clientId })
      await second.subscribe({ [world.topic('marker')]: 1 })
      const messages = await second.payloadsBefore(helper, world.topic('marker'))
      return messages.length === 0 ? 'nothing' : `${messages.length} messages`
    },
  },
  {
    name: 'a client sends the same QoS 2 PUBLISH twice before PUBREL',
    clause: '[MQTT-4.3.3-2], 3.1.1; [MQTT-4.3.3-10], 5',
    versions: [4, 5],
    expected: 'delivered once',
    observe: async (world) => {
      const subscriber = await world.connect()
      await subscriber.subscribe({ [world.topic('#')]: 0 })
      const sender = await world.connect({ silent: true })
      const packet = {
        ...({ cmd: 'publish', topic: world.topic(), payload: 'x', qos: 2, retain: false } as const),
        messageId: 9,
      }
      sender.send({ ...packet, dup: false })
      await sender.wait('pubrec')
      sender.send({ ...packet, dup: true })
      await sender.wait('pubrec', 2)
      sender.send({ cmd: 'pubrel', messageId: 9 })
      await sender.wait('pubcomp')
      const messages = await subscriber.payloadsBefore(await world.helper(), world.topic('marker'))
      return messages.length === 1 ? 'delivered once' : `delivered ${messages.length} times`
    },
  },
  {
    name: 'PUBREL with an unknown packet identifier',
    clause: 'section 4.3.3',
    versions: [4, 5],
    expected: 'PUBCOMP',
    observe: async (world) => {
      const client = await world.connect({ silent: true })
      client.send({ cmd: 'pubrel', messageId: 77 }, { cmd: 'pingreq' })
      await client.wait('pingresp')
      return client.of('pubcomp').length === 1 ? 'PUBCOMP' : 'no answer'
    },
  },
  {
    name: 'QoS 1 and 2 while the durable session is offline',
    clause: '[MQTT-3.1.2-5], [MQTT-4.1.0-1], 3.1.1; [MQTT-4.5.0-1]',
    versions: [4, 5],
    expected: 'all, in order',
    observe: async (world) => {
      const first = await world.durable('s')
      await first.subscribe({ [world.topic('#')]: 2 })
      await first.disconnect()
      const helper = await world.helper()
      const payloads = Array.from({ length: 20 }, (_, n) => String(n))
      for (const [n, payload] of payloads.entries())
        await helper.publish(world.topic(), payload, { qos: n % 2 === 0 ? 1 : 2 })
      const second = await world.durable('s')
      await until(() => second.of('publish').length >= payloads.length, 'as many messages')
      const messages = second.of('publish')
      const got = messages.map(({ payload }) => payload.toString()).join(' ')
      return got === payloads.join(' ') ? 'all, in order' : got
    },
  },
]

/** More than any window or high watermark between publisher and subscriber. */
const BACKLOG = 500

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

/** Publishes without waiting for the broker's answer to the previous message. */
const publishAll = (client: Client, topic: string, payloads: readonly number[], qos: Qos) =>
  Promise.all(payloads.map((n) => client.publish(topic, String(n), { qos, retain: n % 3 === 0 })))

const ORDER: readonly ParityCase[] = ([1, 2] as const).map((qos) => ({
  name: `QoS ${qos} from one publisher that continues while ${BACKLOG} queued messages drain`,
  clause: '[MQTT-4.6.0-5], [MQTT-4.6.0-6]',
  versions: [4, 5],
  expected: 'in order',
  observe: async (world: World) => {
    const first = await world.durable('s')
    await first.subscribe({ [world.topic()]: qos })
    await first.disconnect()
    const helper = await world.helper()
    await publishAll(helper, world.topic(), numbers(0, BACKLOG), qos)
    const live = publishAll(helper, world.topic(), numbers(BACKLOG, 2 * BACKLOG), qos)
    const second = await world.durable('s')
    await live
    await second.wait('publish', 2 * BACKLOG)
    const got = second.of('publish').map(({ payload }) => Number(payload.toString()))
    const late = got.find((n, index) => index > 0 && n < (got[index - 1] as number))
    return late === undefined ? 'in order' : `${late} is late`
  },
}))

const DUP: ParityCase = {
  name: 'the DUP flag of the publisher is not forwarded',
  clause: '[MQTT-3.3.1-3]',
  versions: [4, 5],
  expected: 'DUP 0, DUP 0',
  observe: async (world) => {
    const subscribers = [await world.connect(), await world.durable('s')]
    for (const subscriber of subscribers) await subscriber.subscribe({ [world.topic()]: 1 })
    await (await world.helper()).publish(world.topic(), 'x', { qos: 1, dup: true })
    const messages = await Promise.all(subscribers.map((subscriber) => subscriber.wait('publish')))
    return messages.map(({ dup }) => `DUP ${Number(dup)}`).join(', ')
  },
}

export const DELIVERY_CASES: readonly ParityCase[] = [...MATRIX, ...REDELIVERY, ...ORDER, DUP]
