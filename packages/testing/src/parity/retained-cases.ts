import type { Client } from './client.ts'
import { type ParityCase, type World, will } from './parity-case.ts'

const flags = (packets: readonly { retain: boolean; payload: string | Buffer; qos: number }[]): string =>
  packets.length === 0
    ? 'nothing'
    : packets.map(({ retain, payload, qos }) => `${payload}, QoS ${qos}, retain ${Number(retain)}`).join('; ')

/** What a client has received when a marker arrives. */
async function seen(world: World, client: Client): Promise<string> {
  const marker = world.topic('marker')
  await client.subscribe({ [marker]: 1 })
  return flags(await client.payloadsBefore(await world.helper(), marker))
}

const retained = async (world: World, payload = 'x', qos: 0 | 1 | 2 = 1) =>
  (await world.helper()).publish(world.topic(), payload, { qos, retain: true })

export const RETAINED_CASES: readonly ParityCase[] = [
  {
    name: 'a new subscription gets the retained message, at the lower QoS',
    clause: '[MQTT-3.3.1-6], [MQTT-3.3.1-8], 3.1.1; [MQTT-3.3.1-9], 5',
    versions: [4, 5],
    expected: 'x, QoS 1, retain 1',
    observe: async (world) => {
      await retained(world, 'x', 2)
      const client = await world.connect()
      await client.subscribe({ [world.topic('+')]: 1 })
      return seen(world, client)
    },
  },
  {
    name: 'an established subscription gets a retained message without the flag',
    clause: '[MQTT-3.3.1-9], 3.1.1; [MQTT-3.3.1-12], 5',
    versions: [4, 5],
    expected: 'x, QoS 1, retain 0',
    observe: async (world) => {
      const client = await world.connect()
      await client.subscribe({ [world.topic()]: 1 })
      await retained(world)
      return seen(world, client)
    },
  },
  {
    name: 'with Retain As Published, the message keeps the flag',
    clause: '[MQTT-3.3.1-13]',
    versions: [5],
    expected: 'x, QoS 1, retain 1',
    observe: async (world) => {
      const client = await world.connect()
      await client.subscribe({ [world.topic()]: 1 }, { rap: true })
      await retained(world)
      return seen(world, client)
    },
  },
  {
    name: 'an empty retained message removes the previous one',
    clause: '[MQTT-3.3.1-10], [MQTT-3.3.1-11], 3.1.1; [MQTT-3.3.1-6], [MQTT-3.3.1-7], 5',
    versions: [4, 5],
    expected: 'nothing',
    observe: async (world) => {
      await retained(world)
      await retained(world, '')
      const client = await world.connect()
      await client.subscribe({ [world.topic()]: 1 })
      return seen(world, client)
    },
  },
  {
    name: 'a retained message replaces the previous one',
    clause: '[MQTT-3.3.1-5]',
    versions: [4, 5],
    expected: 'y, QoS 1, retain 1',
    observe: async (world) => {
      await retained(world)
      await retained(world, 'y')
      const client = await world.connect()
      await client.subscribe({ [world.topic()]: 1 })
      return seen(world, client)
    },
  },
  {
    name: 'a retained message of QoS 0 replaces one of QoS 1',
    clause: '[MQTT-3.3.1-7], 3.1.1; [MQTT-3.3.1-5], 5',
    versions: [4, 5],
    expected: 'y, QoS 0, retain 1',
    observe: async (world) => {
      await retained(world)
      await retained(world, 'y', 0)
      const client = await world.connect()
      await client.subscribe({ [world.topic()]: 1 })
      return seen(world, client)
    },
  },
  {
    name: 'a message without the retain flag leaves the retained message, and so does the end of its session',
    clause: '[MQTT-3.3.1-12], [MQTT-3.1.2-7], 3.1.1; [MQTT-3.3.1-8], 5',
    versions: [4, 5],
    expected: 'x, QoS 1, retain 1',
    observe: async (world) => {
      const sender = await world.connect()
      await sender.publish(world.topic(), 'x', { qos: 1, retain: true })
      await sender.publish(world.topic(), 'y', { qos: 1 })
      await sender.publish(world.topic(), '', { qos: 1 })
      await sender.disconnect()
      const client = await world.connect()
      await client.subscribe({ [world.topic()]: 1 })
      return seen(world, client)
    },
  },
  {
    name: 'a will without the retain flag is not retained',
    clause: '[MQTT-3.1.2-16], 3.1.1; [MQTT-3.1.2-14], 5',
    versions: [4, 5],
    expected: 'nothing',
    observe: async (world) => {
      const watcher = await world.connect()
      await watcher.subscribe({ [world.topic()]: 1 })
      await (await world.connect(will(world.topic()))).vanish()
      await watcher.wait('publish')
      const client = await world.connect()
      await client.subscribe({ [world.topic()]: 1 })
      return seen(world, client)
    },
  },
  {
    name: 'a repeated subscription gets the retained message again',
    clause: '[MQTT-3.8.4-3]; [MQTT-3.8.4-4], 5',
    versions: [4, 5],
    expected: 'x, QoS 1, retain 1; x, QoS 1, retain 1',
    observe: async (world) => {
      await retained(world)
      const client = await world.connect()
      await client.subscribe({ [world.topic()]: 1 })
      await client.wait('publish')
      await client.subscribe({ [world.topic()]: 1 })
      return seen(world, client)
    },
  },
  ...([1, 2] as const).map(
    (rh): ParityCase => ({
      name: `retain handling ${rh}: a new and a repeated subscription`,
      clause: rh === 1 ? '[MQTT-3.3.1-10]' : '[MQTT-3.3.1-11]',
      versions: [5],
      expected: rh === 1 ? 'x, QoS 1, retain 1' : 'nothing',
      observe: async (world) => {
        await retained(world)
        const client = await world.connect()
        await client.subscribe({ [world.topic()]: 1 }, { rh })
        if (rh === 1) await client.wait('publish')
        await client.subscribe({ [world.topic()]: 1 }, { rh })
        return seen(world, client)
      },
    }),
  ),
  {
    name: 'No Local: a client does not get its own message',
    clause: '[MQTT-3.8.3-3]',
    versions: [5],
    expected: 'nothing',
    observe: async (world) => {
      const client = await world.connect()
      await client.subscribe({ [world.topic()]: 1 }, { nl: true })
      await client.publish(world.topic(), 'x', { qos: 1 })
      return seen(world, client)
    },
  },
  {
    name: 'No Local: a client gets retained messages of others, and not its own',
    clause: '[MQTT-3.8.3-3]',
    versions: [5],
    expected: 'x, QoS 1, retain 1',
    deviations: {
      mosquitto: {
        observed: 'mine, QoS 1, retain 1; x, QoS 1, retain 1',
        why: 'Mosquitto 2.0.11 applies No Local to live messages only',
      },
    },
    observe: async (world) => {
      const client = await world.connect()
      await client.publish(world.topic('own'), 'mine', { qos: 1, retain: true })
      await retained(world)
      await client.subscribe({ [world.topic('#')]: 1 }, { nl: true })
      return seen(world, client)
    },
  },
  {
    name: 'a will with the retain flag is retained',
    clause: '[MQTT-3.1.2-17], 3.1.1; [MQTT-3.1.2-15], 5',
    versions: [4, 5],
    expected: 'will, QoS 1, retain 1',
    observe: async (world) => {
      const watcher = await world.connect()
      await watcher.subscribe({ [world.topic()]: 1 })
      await (await world.connect(will(world.topic(), { retain: true }))).vanish()
      await watcher.wait('publish')
      const client = await world.connect()
      await client.subscribe({ [world.topic()]: 1 })
      return seen(world, client)
    },
  },
]
