import { until } from '../until.ts'
import type { Client } from './client.ts'
import { type ParityCase, type World, will } from './parity-case.ts'

const isPresent = (client: Client): string =>
  client.of('connack')[0]?.sessionPresent ? 'present' : 'not present'

/** Whether a session is present when its client reconnects. */
async function presentAgain(world: World, name: string): Promise<string> {
  const client = await world.durable(name)
  const answer = isPresent(client)
  await client.vanish()
  return answer
}

/** Waits until more than a second has passed at the broker. */
const overASecond = (startMs: number) => until(() => performance.now() - startMs > 2_100, 'two seconds pass')

async function leftSession(
  world: World,
  seconds: number,
  end: (client: Client) => Promise<void>,
): Promise<void> {
  const client = await world.connect({
    clientId: world.id('s'),
    clean: false,
    properties: { sessionExpiryInterval: seconds },
  })
  await client.subscribe({ [world.topic()]: 1 })
  await end(client)
}

const CLIENT_IDS: readonly ParityCase[] = [
  {
    name: 'an empty client id with a clean session',
    clause: '[MQTT-3.1.3-6], [MQTT-3.1.3-7]',
    versions: [4, 5],
    expected: 'accepted',
    observe: async (world) => {
      const { reasonCode, returnCode } = (await world.connect({ clientId: '' })).of('connack')[0] ?? {}
      return (reasonCode ?? returnCode) === 0 ? 'accepted' : 'refused'
    },
  },
  {
    name: 'an empty client id without a clean session',
    clause: '[MQTT-3.1.3-8], [MQTT-3.1.3-9]',
    versions: [4],
    expected: 'CONNACK 2, then closed',
    observe: async (world) => {
      const client = world.open({ clientId: '', clean: false })
      await client.closed()
      return `CONNACK ${client.of('connack')[0]?.returnCode}, then closed`
    },
  },
  {
    name: 'CONNACK has the client id that the broker assigned',
    clause: '[MQTT-3.2.2-16]',
    versions: [5],
    expected: 'assigned, with and without clean start',
    observe: async (world) => {
      const answers = await Promise.all([true, false].map((clean) => world.connect({ clientId: '', clean })))
      const ids = answers.map((client) => client.of('connack')[0]?.properties?.assignedClientIdentifier)
      return ids.every(Boolean) ? 'assigned, with and without clean start' : 'not assigned'
    },
  },
]

const TAKE_OVER: readonly ParityCase[] = [
  {
    name: 'a second connection with the client id of the first',
    clause: '[MQTT-3.1.4-2], 3.1.1; [MQTT-3.1.4-3], 5',
    versions: [4, 5],
    expected: 'the first is closed, the second works',
    observe: async (world) => {
      const clientId = world.id('s')
      const first = await world.connect({ clientId })
      const second = await world.connect({ clientId })
      await first.closed()
      await second.publish(world.topic(), 'x', { qos: 1 })
      return 'the first is closed, the second works'
    },
  },
  {
    name: 'the displaced client gets the reason',
    clause: '[MQTT-3.1.4-3]',
    versions: [5],
    expected: 'DISCONNECT 0x8e',
    deviations: {
      mosquitto: {
        observed: 'no DISCONNECT',
        why: 'Mosquitto 2.0.11 closes the connection without a reason',
      },
    },
    observe: async (world) => {
      const clientId = world.id('s')
      const first = await world.connect({ clientId })
      await world.connect({ clientId })
      await first.closed()
      const code = first.of('disconnect')[0]?.reasonCode
      return code === undefined ? 'no DISCONNECT' : `DISCONNECT 0x${code.toString(16)}`
    },
  },
  {
    name: 'the new connection takes over the session',
    clause: '[MQTT-3.1.2-4], [MQTT-4.1.0-2], 3.1.1; [MQTT-3.1.2-5], [MQTT-4.1.0-1], 5',
    versions: [4, 5],
    expected: 'present, subscribed',
    observe: async (world) => {
      const first = await world.durable('s')
      await first.subscribe({ [world.topic('#')]: 1 })
      const second = await world.durable('s')
      await first.closed()
      await second.payloadsBefore(await world.helper(), world.topic('marker'))
      return `${isPresent(second)}, subscribed`
    },
  },
  {
    name: 'the will of the displaced client',
    clause: '[MQTT-3.1.2-8], 3.1.1; section 3.1.4, 5',
    versions: [4, 5],
    expected: 'published',
    observe: async (world) => {
      const watcher = await world.connect()
      await watcher.subscribe({ [world.topic('#')]: 1 })
      const clientId = world.id('s')
      const first = await world.connect({ clientId, ...will(world.topic()) })
      await world.connect({ clientId })
      await first.closed()
      await watcher.wait('publish')
      return 'published'
    },
  },
]

const SESSIONS: readonly ParityCase[] = [
  {
    name: '"session present" on the first and on the second connection',
    clause:
      '[MQTT-3.2.2-2], [MQTT-3.2.2-3], [MQTT-3.1.3-2], 3.1.1; [MQTT-3.2.2-3], [MQTT-3.1.2-6], [MQTT-3.1.3-2], 5',
    versions: [4, 5],
    expected: 'not present, present',
    observe: async (world) => {
      const first = await world.durable('s')
      await first.disconnect()
      return `${isPresent(first)}, ${await presentAgain(world, 's')}`
    },
  },
  {
    name: 'a clean connection discards the session',
    clause:
      '[MQTT-3.1.2-6], [MQTT-3.2.2-1], [MQTT-3.1.4-3], 3.1.1; [MQTT-3.1.2-4], [MQTT-3.2.2-2], [MQTT-3.1.4-4], 5',
    versions: [4, 5],
    expected: 'not present, not present',
    observe: async (world) => {
      const first = await world.durable('s')
      await first.disconnect()
      const clean = await world.connect({ clientId: world.id('s'), clean: true })
      await clean.disconnect()
      return `${isPresent(clean)}, ${await presentAgain(world, 's')}`
    },
  },
  {
    name: 'a session with expiry 0 ends with its connection',
    clause: '[MQTT-3.1.2-23]',
    versions: [5],
    expected: 'not present',
    observe: async (world) => {
      await leftSession(world, 0, (client) => client.vanish())
      return presentAgain(world, 's')
    },
  },
  {
    name: 'a session with expiry 1 s, at once and after two seconds',
    clause: '[MQTT-3.1.2-23], [MQTT-4.1.0-2]',
    versions: [5],
    expected: 'present, not present',
    observe: async (world) => {
      await leftSession(world, 1, (client) => client.disconnect())
      const clientId = world.id('s')
      const properties = { sessionExpiryInterval: 1 }
      const again = await world.connect({ clientId, clean: false, properties })
      await again.disconnect()
      await overASecond(performance.now())
      return `${isPresent(again)}, ${await presentAgain(world, 's')}`
    },
  },
  {
    name: 'a session with expiry 0xFFFFFFFF does not expire',
    clause: 'section 3.1.2.11.2',
    versions: [5],
    expected: 'present',
    observe: async (world) => {
      await leftSession(world, 0xffff_ffff, (client) => client.disconnect())
      await overASecond(performance.now())
      return presentAgain(world, 's')
    },
  },
  {
    name: 'DISCONNECT sets the expiry to 0',
    clause: 'section 3.14.2.2.2',
    versions: [5],
    expected: 'not present',
    observe: async (world) => {
      await leftSession(world, 600, (client) =>
        client.disconnect({ properties: { sessionExpiryInterval: 0 } }),
      )
      return presentAgain(world, 's')
    },
  },
]

export const SESSION_CASES: readonly ParityCase[] = [...CLIENT_IDS, ...TAKE_OVER, ...SESSIONS]
