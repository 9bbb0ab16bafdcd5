import { until } from '../until.ts'
import type { Client } from './client.ts'
import { type ParityCase, type World, will } from './parity-case.ts'

async function watcher(world: World): Promise<Client> {
  const client = await world.connect()
  await client.subscribe({ [world.topic('#')]: 2 })
  return client
}

/** What was received before the marker. */
async function seen(world: World, client: Client): Promise<string> {
  const messages = await client.payloadsBefore(await world.helper(), world.topic('marker'))
  return messages.length === 0 ? 'nothing' : messages.map(({ payload }) => payload.toString()).join(' ')
}

const delayed = (world: World, seconds: number) =>
  will(world.topic(), { properties: { willDelayInterval: seconds } })

const WAITS_FOR_DELAY = {
  observed: 'nothing',
  why: 'Mosquitto 2.0.11 waits for the delay although the session has ended',
}

const WILLS: readonly ParityCase[] = [
  {
    name: 'a will of QoS 0, 1 and 2, after the connection broke',
    clause: '[MQTT-3.1.2-8]',
    versions: [4, 5],
    expected: '0 1 2',
    observe: async (world) => {
      const client = await watcher(world)
      for (const qos of [0, 1, 2] as const) {
        const before = client.of('publish').length
        await (await world.connect(will(world.topic(), { qos }))).vanish()
        await client.wait('publish', before + 1)
      }
      return client
        .of('publish')
        .map(({ qos }) => qos)
        .join(' ')
    },
  },
  {
    name: 'the will after a DISCONNECT',
    clause: '[MQTT-3.1.2-10], [MQTT-3.14.4-3], 3.1.1; [MQTT-3.14.4-3], 5',
    versions: [4, 5],
    expected: 'nothing',
    observe: async (world) => {
      const client = await watcher(world)
      await (await world.connect(will(world.topic()))).disconnect()
      return seen(world, client)
    },
  },
  {
    name: 'the will after a DISCONNECT with reason code 0x04',
    clause: 'section 3.14.2.1',
    versions: [5],
    expected: 'will',
    observe: async (world) => {
      const client = await watcher(world)
      await (await world.connect(will(world.topic()))).disconnect({ reasonCode: 4 })
      await client.wait('publish')
      return seen(world, client)
    },
  },
  {
    name: 'the will of a client that sends nothing for one and a half keep-alives',
    clause: '[MQTT-3.1.2-24], 3.1.1; [MQTT-3.1.2-22], [MQTT-3.2.2-22], 5',
    versions: [4, 5],
    expected: 'will, and the connection is closed',
    observe: async (world) => {
      const client = await watcher(world)
      const quiet = await world.connect({ keepalive: 1, ...will(world.topic()) })
      await quiet.closed(20_000)
      await client.wait('publish')
      return `${await seen(world, client)}, and the connection is closed`
    },
  },
]

const DELAYED: readonly ParityCase[] = [
  {
    name: 'a will with a delay of 1 s, at once and after it',
    clause: '[MQTT-3.1.3-9], section 3.1.3.2.2',
    versions: [5],
    expected: 'nothing, then will',
    observe: async (world) => {
      const client = await watcher(world)
      await (await world.durable('w', delayed(world, 1))).vanish()
      const early = await seen(world, client)
      await until(() => client.of('publish').some(({ payload }) => payload.toString() === 'will'), 'the will')
      return `${early}, then will`
    },
  },
  {
    name: 'a will with a delay, when the client returns before it',
    clause: '[MQTT-3.1.3-9]',
    versions: [5],
    expected: 'nothing',
    observe: async (world) => {
      const client = await watcher(world)
      await (await world.durable('w', delayed(world, 1))).vanish()
      await world.durable('w')
      await world.pass(2_100)
      return seen(world, client)
    },
  },
  {
    name: 'a will with a delay, when a clean start ends the session before it',
    clause: 'section 3.1.3.2.2',
    versions: [5],
    expected: 'will',
    deviations: { mosquitto: WAITS_FOR_DELAY },
    observe: async (world) => {
      const client = await watcher(world)
      await (await world.durable('w', delayed(world, 600))).vanish()
      await world.connect({ clientId: world.id('w'), clean: true })
      await world.pass(2_100)
      return seen(world, client)
    },
  },
  {
    name: 'a will keeps its content type, its user properties and its expiry',
    clause: '[MQTT-3.1.3-10], section 3.1.3.2',
    versions: [5],
    expected: 'text/plain, a=1 a=3 b=2, 600 s',
    observe: async (world) => {
      const client = await watcher(world)
      const properties = {
        contentType: 'text/plain',
        userProperties: { a: ['1', '3'], b: '2' },
        messageExpiryInterval: 600,
      }
      await (await world.connect(will(world.topic(), { properties }))).vanish()
      const { properties: got } = await client.wait('publish')
      const pairs = Object.entries(got?.userProperties ?? {}).flatMap(([name, values]) =>
        [values].flat().map((value) => `${name}=${value}`),
      )
      return `${got?.contentType}, ${pairs.join(' ')}, ${got?.messageExpiryInterval} s`
    },
  },
  {
    name: 'a will with a delay, when the session ends before it',
    clause: 'section 3.1.3.2.2',
    versions: [5],
    expected: 'will',
    deviations: { mosquitto: WAITS_FOR_DELAY },
    observe: async (world) => {
      const client = await watcher(world)
      const clean = { clientId: world.id('w'), ...delayed(world, 600) }
      await (await world.connect(clean)).vanish()
      await world.pass(2_100)
      return seen(world, client)
    },
  },
]

const queued = async (world: World, client: Client): Promise<string> => {
  const messages = await client.payloadsBefore(await world.helper(), world.topic('marker'))
  return messages.map(({ payload }) => payload.toString()).join(' ') || 'nothing'
}

const EXPIRY: readonly ParityCase[] = [
  {
    name: 'two messages queued for a durable session, one of which expires',
    clause: '[MQTT-3.3.2-5]',
    versions: [5],
    expected: 'unexpired',
    observe: async (world) => {
      const first = await world.durable('s')
      await first.subscribe({ [world.topic('#')]: 1 })
      await first.disconnect()
      const helper = await world.helper()
      const options = (messageExpiryInterval: number) =>
        ({ qos: 1, properties: { messageExpiryInterval } }) as const
      await helper.publish(world.topic(), 'expiring', options(1))
      await helper.publish(world.topic(), 'unexpired', options(600))
      await world.pass(2_100)
      return queued(world, await world.durable('s'))
    },
  },
  {
    name: 'a message with an expiry of 600 s, after waiting two seconds',
    clause: '[MQTT-3.3.2-6]',
    versions: [5],
    expected: 'less than 600 s',
    observe: async (world) => {
      const first = await world.durable('s')
      await first.subscribe({ [world.topic('#')]: 1 })
      await first.disconnect()
      const options = { qos: 1, properties: { messageExpiryInterval: 600 } } as const
      await (await world.helper()).publish(world.topic(), 'x', options)
      await world.pass(2_100)
      const { properties } = await (await world.durable('s')).wait('publish')
      const left = properties?.messageExpiryInterval
      if (left === undefined) return 'without an interval'
      return left < 600 && left > 590 ? 'less than 600 s' : `${left} s`
    },
  },
  {
    name: 'a retained message that has expired',
    clause: '[MQTT-3.3.2-5], section 4.1',
    versions: [5],
    expected: 'nothing',
    observe: async (world) => {
      const options = { qos: 1, retain: true, properties: { messageExpiryInterval: 1 } } as const
      await (await world.helper()).publish(world.topic(), 'x', options)
      await world.pass(2_100)
      const client = await world.connect()
      await client.subscribe({ [world.topic('#')]: 1 })
      return queued(world, client)
    },
  },
]

export const WILL_AND_EXPIRY_CASES: readonly ParityCase[] = [...WILLS, ...DELAYED, ...EXPIRY]
