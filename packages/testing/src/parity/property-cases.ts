import type { IPublishPacket } from 'mqtt-packet'
import { packet, properties, text } from './bytes.ts'
import type { Client } from './client.ts'
import { type ParityCase, type World, will } from './parity-case.ts'

const V5 = [5] as const
/** Payload format, content type, response topic, correlation data, and user properties in an order of their own. */
const SENT = Buffer.concat([
  Buffer.of(0x01, 1),
  Buffer.concat([Buffer.of(0x03), text('text/plain')]),
  Buffer.concat([Buffer.of(0x08), text('answers')]),
  Buffer.concat([Buffer.of(0x09), text([0, 255, 1])]),
  ...['z=1', 'a=2', 'z=3', 'a=2'].map((pair) => {
    const [name = '', value = ''] = pair.split('=')
    return Buffer.concat([Buffer.of(0x26), text(name), text(value)])
  }),
])

const described = ({ properties: got }: IPublishPacket): string =>
  [
    `format ${Number(got?.payloadFormatIndicator)}`,
    ...[got?.contentType, got?.responseTopic, got?.correlationData?.toString('hex')],
  ].join(', ')

/** The user properties as bytes, in the order in which they arrived. */
function userProperties(client: Client): string {
  const bytes = client.bytes()
  const pairs: string[] = []
  for (let at = bytes.indexOf(PAIR); at >= 0; at = bytes.indexOf(PAIR, at + 1))
    pairs.push(`${bytes.toString('latin1', at + 3, at + 4)}=${bytes.toString('latin1', at + 6, at + 7)}`)
  return pairs.join(' ')
}

/** A user property with a name of one byte. */
const PAIR = Buffer.of(0x26, 0, 1)

async function forwarded(world: World, options: { readonly retain: boolean }): Promise<string> {
  const client = await world.connect()
  if (!options.retain) await client.subscribe({ [world.topic()]: 0 })
  const first = options.retain ? 0x31 : 0x30
  const sender = await world.helper()
  sender.sendBytes(packet(first, text(world.topic()), properties(5, SENT), Buffer.from('x')))
  sender.send({ cmd: 'pingreq' })
  await sender.wait('pingresp')
  if (options.retain) await client.subscribe({ [world.topic()]: 0 })
  return `${described(await client.wait('publish'))}, ${userProperties(client)}`
}

const FORWARDED: readonly ParityCase[] = [false, true].map((retain) => ({
  name: `the properties of a ${retain ? 'retained' : 'live'} message reach a subscriber unchanged and in order`,
  clause:
    '[MQTT-3.3.2-4], [MQTT-3.3.2-15], [MQTT-3.3.2-16], [MQTT-3.3.2-17], [MQTT-3.3.2-18], [MQTT-3.3.2-20]',
  versions: V5,
  expected: 'format 1, text/plain, answers, 00ff01, z=1 a=2 z=3 a=2',
  observe: (world: World) => forwarded(world, { retain }),
}))

const alias = (world: World, id: number, topic: string, payload: string): Buffer =>
  packet(0x30, text(topic === '' ? '' : world.topic(topic)), properties(5, 0x23, 0, id), Buffer.from(payload))

const ALIASES: readonly ParityCase[] = [
  {
    name: 'topic aliases from 1 to the maximum, and one that is set anew',
    clause: '[MQTT-3.3.2-12]',
    versions: V5,
    expected: 'a: 1; a: 2; z: 3; z: 4; b: 5; b: 6',
    observe: async (world) => {
      const watcher = await world.connect()
      await watcher.subscribe({ [world.topic('#')]: 0 })
      const client = await world.connect()
      const max = client.of('connack')[0]?.properties?.topicAliasMaximum ?? 0
      client.sendBytes(
        Buffer.concat([
          ...[alias(world, 1, 'a', '1'), alias(world, 1, '', '2')],
          ...[alias(world, max, 'z', '3'), alias(world, max, '', '4')],
          ...[alias(world, 1, 'b', '5'), alias(world, 1, '', '6')],
        ]),
      )
      await watcher.wait('publish', 6)
      return watcher
        .of('publish')
        .map(({ topic, payload }) => `${topic.split('/').at(-1)}: ${payload}`)
        .join('; ')
    },
  },
  {
    name: 'a topic alias of an earlier connection of the same session',
    clause: '[MQTT-3.3.2-7]',
    versions: V5,
    expected: 'unknown',
    observe: async (world) => {
      const first = await world.durable('s')
      first.sendBytes(alias(world, 1, 'a', '1'))
      first.send({ cmd: 'pingreq' })
      await first.wait('pingresp')
      await first.vanish()
      const second = await world.durable('s')
      second.sendBytes(alias(world, 1, '', '2'))
      await second.closed()
      return 'unknown'
    },
  },
  ...[0, 5].map(
    (maximum): ParityCase => ({
      name: `messages to a client with a topic alias maximum of ${maximum}`,
      clause: maximum === 0 ? '[MQTT-3.1.2-27]' : '[MQTT-3.1.2-26], [MQTT-3.3.2-11]',
      versions: V5,
      expected: 'no alias above it',
      observe: async (world) => {
        const client = await world.connect({ properties: { topicAliasMaximum: maximum } })
        await client.subscribe({ [world.topic('#')]: 0 })
        const helper = await world.helper()
        for (let n = 0; n < 10; n++) await helper.publish(world.topic(String(n % 7)), 'x')
        await client.wait('publish', 10)
        const aliases = client.of('publish').map((message) => message.properties?.topicAlias ?? 0)
        return Math.max(...aliases) <= maximum ? 'no alias above it' : `alias ${Math.max(...aliases)}`
      },
    }),
  ),
]

const subscribeWith = async (
  world: World,
  client: Client,
  filter: string,
  subscriptionIdentifier: number,
) => {
  const before = client.of('suback').length
  client.send({
    ...{ cmd: 'subscribe', messageId: client.nextPacketId(), properties: { subscriptionIdentifier } },
    subscriptions: [{ topic: world.topic(filter), qos: 1 }],
  })
  await client.wait('suback', before + 1)
}

const idsOf = ({ properties: got }: IPublishPacket): string =>
  [got?.subscriptionIdentifier ?? []]
    .flat()
    .toSorted((a, b) => a - b)
    .join('+')

const IDENTIFIERS: readonly ParityCase[] = [
  {
    name: 'overlapping subscriptions with the identifiers 3 and 268435455',
    clause: '[MQTT-3.3.4-2], [MQTT-3.3.4-3], [MQTT-3.3.4-4]',
    versions: V5,
    expected: '3+268435455 in all copies',
    observe: async (world) => {
      const client = await world.connect()
      await subscribeWith(world, client, 't', 3)
      await subscribeWith(world, client, '+', 268_435_455)
      const messages = await client.payloadsBefore(await sayOnce(world), world.topic('m'))
      return `${messages.map(idsOf).filter(Boolean).join('+')} in all copies`
    },
  },
  {
    name: 'a subscription that is replaced gets its new identifier, or none',
    clause: 'section 3.8.2.1.2',
    versions: V5,
    expected: '4, none',
    observe: async (world) => {
      const client = await world.connect()
      await subscribeWith(world, client, 't', 3)
      await subscribeWith(world, client, 't', 4)
      await sayOnce(world)
      const first = idsOf(await client.wait('publish'))
      await client.subscribe({ [world.topic()]: 1 })
      await sayOnce(world)
      return `${first}, ${idsOf(await client.wait('publish', 2)) || 'none'}`
    },
  },
  {
    name: 'a retained message has the identifier of its subscription',
    clause: '[MQTT-3.3.4-3]',
    versions: V5,
    expected: '7',
    observe: async (world) => {
      await (await world.helper()).publish(world.topic(), 'x', { qos: 1, retain: true })
      const client = await world.connect()
      await subscribeWith(world, client, 't', 7)
      return idsOf(await client.wait('publish'))
    },
  },
]

const sayOnce = async (world: World): Promise<Client> => {
  const helper = await world.helper()
  await helper.publish(world.topic(), 'x', { qos: 1 })
  return helper
}

const WILL_DROPPED = {
  mosquitto: { observed: '0 will', why: 'Mosquitto 2.0.11 removes the will at any other DISCONNECT too' },
}

const DISCONNECT: readonly ParityCase[] = [
  {
    name: 'DISCONNECT raises a session expiry of 0',
    clause: 'section 3.14.2.2.2',
    versions: V5,
    expected: 'the session ends',
    observe: async (world) => {
      const client = await world.connect({ clientId: world.id('s'), clean: false })
      await client.disconnect({ properties: { sessionExpiryInterval: 600 } })
      const again = await world.durable('s')
      return again.of('connack')[0]?.sessionPresent ? 'the session stays' : 'the session ends'
    },
  },
  {
    name: 'DISCONNECT changes the session expiry from 1 s to 600 s',
    clause: 'section 3.14.2.2.2',
    versions: V5,
    expected: 'present after two seconds',
    observe: async (world) => {
      const options = { clientId: world.id('s'), clean: false, properties: { sessionExpiryInterval: 1 } }
      const client = await world.connect(options)
      await client.disconnect({ properties: { sessionExpiryInterval: 600 } })
      await world.pass(2_100)
      const again = await world.durable('s')
      return `${again.of('connack')[0]?.sessionPresent ? '' : 'not '}present after two seconds`
    },
  },
  ...[0x80, 0x04].map(
    (reasonCode): ParityCase => ({
      name: `the will after a DISCONNECT with reason code 0x${reasonCode.toString(16).padStart(2, '0')}, and none after it was published`,
      clause: '[MQTT-3.1.2-10], [MQTT-3.1.2-7], section 3.14.2.1',
      versions: V5,
      expected: '1 will',
      deviations: reasonCode === 0x80 ? WILL_DROPPED : {},
      observe: async (world) => {
        const watcher = await world.connect()
        await watcher.subscribe({ [world.topic('#')]: 0 })
        const clientId = world.id('w')
        await (await world.connect({ clientId, ...will(world.topic()) })).disconnect({ reasonCode })
        if (reasonCode === 0x04) await watcher.wait('publish')
        await (await world.connect({ clientId })).vanish()
        const messages = await watcher.payloadsBefore(await world.helper(), world.topic('marker'))
        return `${messages.length} will`
      },
    }),
  ),
  ...([4, 5] as const).map(
    (version): ParityCase => ({
      name: 'a DISCONNECT with reserved flags is no DISCONNECT: the will is published',
      clause: '[MQTT-3.14.1-1]',
      versions: [version],
      expected: 'will',
      observe: async (world) => {
        const watcher = await world.connect()
        await watcher.subscribe({ [world.topic()]: 0 })
        const client = await world.connect(will(world.topic()))
        client.sendBytes(packet(0xe1))
        await client.closed()
        return (await watcher.wait('publish')).payload.toString()
      },
    }),
  ),
  {
    name: 'the DISCONNECT of the broker is its last packet and changes no session expiry',
    clause:
      '[MQTT-3.14.2-1], [MQTT-3.14.2-2], [MQTT-3.14.4-1], [MQTT-3.14.4-2], [MQTT-4.13.2-1], [MQTT-3.1.4-3]',
    versions: V5,
    expected: '0x8e, no expiry, last, closed',
    deviations: {
      mosquitto: { observed: 'none', why: 'Mosquitto 2.0.11 closes the connection without a reason' },
    },
    observe: async (world) => {
      const first = await world.durable('s')
      await first.subscribe({ [world.topic('#')]: 0 })
      await world.durable('s')
      await first.closed()
      const [disconnect] = first.of('disconnect')
      if (disconnect === undefined) return 'none'
      const expiry = disconnect.properties?.sessionExpiryInterval === undefined ? 'no expiry' : 'an expiry'
      const place = first.got.at(-1) === disconnect ? 'last' : 'not last'
      return `0x${disconnect.reasonCode?.toString(16)}, ${expiry}, ${place}, closed`
    },
  },
]

export const PROPERTY_CASES: readonly ParityCase[] = [...FORWARDED, ...ALIASES, ...IDENTIFIERS, ...DISCONNECT]
