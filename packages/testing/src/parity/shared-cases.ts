import { until } from '../until.ts'
import type { Client, Qos } from './client.ts'
import type { ParityCase, World } from './parity-case.ts'

const payloads = (client: Client): readonly string[] =>
  client.of('publish').map(({ payload }) => payload.toString())

const member = async (world: World, name: string, qos: Qos, silent?: true): Promise<Client> => {
  const client = await world.durable(name, silent ? { silent } : {})
  await client.subscribe({ [`$share/g/${world.topic()}`]: qos })
  return client
}

const sayAll = async (world: World, count: number, qos: Qos) => {
  const helper = await world.helper()
  for (let n = 0; n < count; n++) await helper.publish(world.topic(), String(n), { qos })
}

export const SHARED_CASES: readonly ParityCase[] = [
  {
    name: 'a shared subscription: each message to one member, at its granted QoS, and to an ordinary subscriber',
    clause: '[MQTT-4.8.2-3]',
    versions: [5],
    expected: '10 of 10 once, each member has some, QoS 1 and 0',
    observe: async (world) => {
      const members = [await member(world, 'a', 1), await member(world, 'b', 0)]
      const watcher = await world.connect()
      await watcher.subscribe({ [world.topic()]: 1 })
      await sayAll(world, 10, 2)
      await watcher.wait('publish', 10)
      await until(() => members.flatMap(payloads).length >= 10, 'ten messages')
      const all = members.flatMap(payloads)
      const some = members.every((each) => payloads(each).length > 0) ? 'each member has some' : 'one has all'
      const qos = members.map((each) =>
        [...new Set(each.of('publish').map((message) => message.qos))].join('+'),
      )
      return `${new Set(all).size} of ${all.length} once, ${some}, QoS ${qos.join(' and ')}`
    },
  },
  {
    name: 'a shared subscription gets no retained messages',
    clause: 'section 4.8.2',
    versions: [5],
    expected: 'live',
    deviations: {
      mosquitto: { observed: 'retained live', why: 'Mosquitto 2.0.11 sends the retained message too' },
    },
    observe: async (world) => {
      const helper = await world.helper()
      await helper.publish(world.topic(), 'retained', { qos: 1, retain: true })
      const client = await member(world, 'a', 1)
      await helper.publish(world.topic(), 'live', { qos: 1 })
      await client.wait('publish')
      return payloads(client).join(' ')
    },
  },
  {
    name: 'a member loses its connection during a QoS 2 delivery and returns',
    clause: '[MQTT-4.8.2-4]',
    versions: [5],
    expected: 'delivered to it again',
    observe: async (world) => {
      const first = await member(world, 'a', 2, true)
      await sayAll(world, 1, 2)
      await first.wait('publish')
      const other = await member(world, 'b', 2)
      await first.vanish()
      const again = await world.durable('a')
      await again.wait('publish')
      return payloads(other).length === 0 ? 'delivered to it again' : 'delivered to another'
    },
  },
  {
    name: 'the session of a member ends during a QoS 2 delivery',
    clause: '[MQTT-4.8.2-5]',
    versions: [5],
    expected: 'to nobody else',
    observe: async (world) => {
      const first = await member(world, 'a', 2, true)
      await sayAll(world, 1, 2)
      await first.wait('publish')
      const other = await member(world, 'b', 2)
      await first.disconnect({ properties: { sessionExpiryInterval: 0 } })
      await other.subscribe({ [world.topic('marker')]: 1 })
      const messages = await other.payloadsBefore(await world.helper(), world.topic('marker'))
      return messages.length === 0 ? 'to nobody else' : `${messages.length} to another`
    },
  },
  {
    name: 'the session of a member ends before it has acknowledged a QoS 1 message',
    clause: 'section 4.8.2',
    versions: [5],
    expected: 'delivered to another',
    deviations: {
      mosquitto: {
        observed: 'lost',
        why: 'Mosquitto 2.0.11 drops what the member has not acknowledged; the standard only recommends to send it to another',
      },
    },
    observe: async (world) => {
      const first = await member(world, 'a', 1, true)
      await sayAll(world, 1, 1)
      await first.wait('publish')
      const other = await member(world, 'b', 1)
      await first.disconnect({ properties: { sessionExpiryInterval: 0 } })
      await other.subscribe({ [world.topic('marker')]: 1 })
      const messages = await other.payloadsBefore(await world.helper(), world.topic('marker'))
      return messages.length === 1 ? 'delivered to another' : 'lost'
    },
  },
  {
    name: 'a member answers PUBACK with an error',
    clause: '[MQTT-4.8.2-6], [MQTT-4.4.0-2]',
    versions: [5],
    expected: 'discarded',
    observe: async (world) => {
      const first = await member(world, 'a', 1, true)
      await sayAll(world, 1, 1)
      const { messageId = 0 } = await first.wait('publish')
      const other = await member(world, 'b', 1)
      first.send({ cmd: 'puback', messageId, reasonCode: 0x80 }, { cmd: 'pingreq' })
      await first.wait('pingresp')
      await first.vanish()
      const again = await world.durable('a')
      await again.subscribe({ [world.topic('#')]: 1 })
      await again.payloadsBefore(await world.helper(), world.topic('marker'))
      const copies = [...payloads(other), ...payloads(again)].filter((payload) => payload === '0')
      return copies.length === 0 ? 'discarded' : 'sent again'
    },
  },
]
