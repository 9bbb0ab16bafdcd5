import type { IPublishPacket, ISubackPacket, IUnsubackPacket } from 'mqtt-packet'
import { until } from '../until.ts'
import { packet, properties, text } from './bytes.ts'
import type { Client, Qos } from './client.ts'
import type { ParityCase, World } from './parity-case.ts'

const listed = (messages: readonly IPublishPacket[]): string =>
  messages.map(({ payload, qos }) => `${payload}, QoS ${qos}`).join('; ') || 'nothing'

/** What a client receives of messages that are published now. */
async function seen(world: World, client: Client): Promise<string> {
  const marker = world.topic('marker')
  await client.subscribe({ [marker]: 1 })
  return listed(await client.payloadsBefore(await world.helper(), marker))
}

const say = async (world: World, payload: string, qos: Qos = 1, name = 't') =>
  (await world.helper()).publish(world.topic(name), payload, { qos })

/** Topic filters, and the topics among these that they match. */
const TOPICS = [
  'sport',
  'sport/',
  'sport/tennis',
  'sport/tennis/one',
  'Sport/tennis',
  '/sport',
  'sport//tennis',
]
const MATCHES: Readonly<Record<string, readonly string[]>> = {
  sport: ['sport'],
  'sport/#': ['sport', 'sport/', 'sport/tennis', 'sport/tennis/one', 'sport//tennis'],
  'sport/+': ['sport/', 'sport/tennis'],
  '+/tennis': ['sport/tennis', 'Sport/tennis'],
  'sport/+/+': ['sport/tennis/one', 'sport//tennis'],
  '/+': ['/sport'],
  '+/sport': ['/sport'],
}

const TAKEN = {
  mosquitto: { observed: 'granted 0', why: 'Mosquitto 2.0.11 takes it as an ordinary filter' },
}

const MATCHING: readonly ParityCase[] = [
  {
    name: 'filters with and without wildcards get the topics that they match, character by character',
    clause:
      '[MQTT-4.7.1-2], [MQTT-4.7.1-3], 3.1.1; [MQTT-4.7.1-1], [MQTT-4.7.1-2], 5; [MQTT-3.3.2-3], [MQTT-4.7.3-4]; [MQTT-3.8.3-2], 3.1.1',
    versions: [4, 5],
    expected: 'as in section 4.7',
    observe: async (world) => {
      const helper = await world.helper()
      const wrong: string[] = []
      for (const [n, [filter, expected]] of Object.entries(MATCHES).entries()) {
        const client = await world.connect()
        const root = `${world.topic(String(n))}/`
        await client.subscribe({ [`${root}${filter}`]: 0, [`${root}marker`]: 1 })
        for (const topic of TOPICS) await helper.publish(`${root}${topic}`, topic)
        const messages = await client.payloadsBefore(helper, `${root}marker`)
        const got = messages.map(({ payload }) => payload.toString())
        if (got.join(' ') !== expected.join(' ')) wrong.push(`${filter}: ${got.join(' ')}`)
      }
      return wrong.join('; ') || 'as in section 4.7'
    },
  },
  {
    name: 'the filters # and +/… and a topic that begins with $',
    clause: '[MQTT-4.7.2-1]',
    versions: [4, 5],
    expected: 'only $own/#',
    observe: async (world) => {
      const name = `$own/${world.topic()}`
      const filters = ['#', `+/${world.topic()}`, '$own/#']
      const clients = await Promise.all(filters.map(() => world.connect()))
      for (const [n, client] of clients.entries()) await client.subscribe({ [filters[n] as string]: 0 })
      const helper = await world.helper()
      await helper.publish(name, 'x')
      const got = []
      for (const [n, client] of clients.entries()) {
        await client.subscribe({ [world.topic(`m${n}`)]: 1 })
        const messages = await client.payloadsBefore(helper, world.topic(`m${n}`))
        if (messages.some(({ topic }) => topic === name)) got.push(filters[n])
      }
      return `only ${got.join(' ')}`
    },
  },
  {
    name: 'a topic that begins with U+FEFF, and the same without it',
    clause: '[MQTT-1.5.3-3], 3.1.1; [MQTT-1.5.4-3], 5',
    versions: [4, 5],
    expected: 'with, QoS 0',
    observe: async (world) => {
      const client = await world.connect()
      await client.subscribe({ [world.topic('\ufeffbom')]: 0 })
      await say(world, 'with', 0, '\ufeffbom')
      await say(world, 'without', 0, 'bom')
      return seen(world, client)
    },
  },
  ...['a#', '#/a', 'a+', '+a/b', ''].map(
    (filter): ParityCase => ({
      name: `the invalid filter "${filter}"`,
      clause:
        filter === ''
          ? '[MQTT-4.7.3-1]'
          : filter.includes('#')
            ? '[MQTT-4.7.1-2], 3.1.1; [MQTT-4.7.1-1], 5'
            : '[MQTT-4.7.1-3], 3.1.1; [MQTT-4.7.1-2], 5',
      versions: [4, 5],
      expected: 'refused',
      observe: (world) => refusal(world, filter),
    }),
  ),
  ...['$share/g', '$share//t', '$share/+/t', '$share/g#/t', '$share/g/'].map(
    (filter): ParityCase => ({
      name: `the invalid shared subscription "${filter}"`,
      clause: filter === '$share/g' || filter === '$share//t' ? '[MQTT-4.8.2-1]' : '[MQTT-4.8.2-2]',
      versions: [5],
      expected: 'refused',
      deviations: filter.includes('#') ? {} : TAKEN,
      observe: (world) => refusal(world, filter),
    }),
  ),
]

/** A broker may refuse the filter in SUBACK or close the connection. */
async function refusal(world: World, filter: string): Promise<string> {
  const client = await world.connect()
  client.sendBytes(packet(0x82, 0, 9, properties(world.version), text(filter), 0))
  await until(() => client.isClosed || client.of('suback').length > 0, 'an answer')
  const code = client.of('suback')[0]?.granted[0]
  return code === undefined || Number(code) >= 0x80 ? 'refused' : `granted ${code}`
}

const codes = ({ granted, messageId }: ISubackPacket | IUnsubackPacket): string =>
  `id ${messageId}: ${(granted ?? []).join(' ')}`.trim()

const ANSWERS: readonly ParityCase[] = [
  {
    name: 'a SUBSCRIBE with three filters gets one SUBACK with its identifier and a code for each, in order',
    clause:
      '[MQTT-3.8.4-1], [MQTT-3.8.4-2], [MQTT-3.8.4-4], [MQTT-3.8.4-5], [MQTT-3.9.3-1], [MQTT-3.9.3-2], [MQTT-2.3.1-7], 3.1.1; [MQTT-3.8.4-1], [MQTT-3.8.4-2], [MQTT-3.8.4-5], [MQTT-3.8.4-6], [MQTT-3.8.4-7], [MQTT-3.9.3-1], [MQTT-3.9.3-2], [MQTT-2.2.1-6], [MQTT-2.2.2-1], 5',
    versions: [4, 5],
    expected: 'id 700: 2 0 1',
    observe: async (world) => {
      const client = await world.connect()
      const subscriptions = ([2, 0, 1] as const).map((qos) => ({ topic: world.topic(`q${qos}`), qos }))
      client.send({ cmd: 'subscribe', messageId: 700, subscriptions }, { cmd: 'pingreq' })
      await client.wait('pingresp')
      return client.of('suback').map(codes).join('; ')
    },
  },
  {
    name: 'an UNSUBSCRIBE with three filters, one of them subscribed, gets one UNSUBACK with its identifier',
    clause:
      '[MQTT-3.10.4-4], [MQTT-3.10.4-5], [MQTT-3.10.4-6], [MQTT-2.3.1-7], 3.1.1; [MQTT-3.10.4-4], [MQTT-3.10.4-5], [MQTT-3.10.4-6], [MQTT-3.11.3-1], [MQTT-3.11.3-2], [MQTT-2.2.1-6], 5',
    versions: [4, 5],
    expected: 'id 701: 17 0 17 or none',
    observe: async (world) => {
      const client = await world.connect()
      await client.subscribe({ [world.topic('b')]: 0 })
      const unsubscriptions = ['a', 'b', 'c'].map((name) => world.topic(name))
      client.send({ cmd: 'unsubscribe', messageId: 701, unsubscriptions }, { cmd: 'pingreq' })
      await client.wait('pingresp')
      const answers = client.of('unsuback').map(codes).join('; ')
      const isRight = answers === (world.version === 5 ? 'id 701: 17 0 17' : 'id 701:')
      return isRight ? 'id 701: 17 0 17 or none' : answers
    },
  },
  {
    name: 'after UNSUBSCRIBE nothing more arrives, and only the same filter is removed',
    clause: '[MQTT-3.10.4-1], [MQTT-3.10.4-2]',
    versions: [4, 5],
    expected: 'before, QoS 1; kept, QoS 1',
    observe: async (world) => {
      const client = await world.connect()
      await client.subscribe({ [world.topic()]: 1, [world.topic('k')]: 1 })
      await say(world, 'before')
      await client.wait('publish')
      client.send({ cmd: 'unsubscribe', messageId: 90, unsubscriptions: [world.topic(), world.topic('+')] })
      await client.wait('unsuback')
      await say(world, 'after')
      await say(world, 'kept', 1, 'k')
      return seen(world, client)
    },
  },
  {
    name: 'a QoS 2 delivery that has begun is completed after UNSUBSCRIBE',
    clause: '[MQTT-3.10.4-3]',
    versions: [4, 5],
    expected: 'PUBREL',
    observe: async (world) => {
      const client = await world.connect({ silent: true })
      await client.subscribe({ [world.topic()]: 2 })
      await say(world, 'x', 2)
      const { messageId = 0 } = await client.wait('publish')
      client.send({ cmd: 'unsubscribe', messageId: 90, unsubscriptions: [world.topic()] })
      await client.wait('unsuback')
      client.send({ cmd: 'pubrec', messageId })
      const pubrel = await client.wait('pubrel')
      return pubrel.messageId === messageId ? 'PUBREL' : 'another id'
    },
  },
  {
    name: 'a subscription is replaced by one with the same filter and another QoS',
    clause: '[MQTT-3.8.4-3]',
    versions: [4, 5],
    expected: 'x, QoS 0',
    observe: async (world) => {
      const client = await world.connect()
      await client.subscribe({ [world.topic()]: 2 })
      await client.subscribe({ [world.topic()]: 0 })
      await say(world, 'x', 2)
      return seen(world, client)
    },
  },
]

export const SUBSCRIPTION_CASES: readonly ParityCase[] = [...MATCHING, ...ANSWERS]
