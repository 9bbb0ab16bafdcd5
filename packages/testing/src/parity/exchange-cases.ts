import { packet, properties, text } from './bytes.ts'
import type { Client, Qos } from './client.ts'
import type { ParityCase, World } from './parity-case.ts'

const X = Buffer.from('x')
const publishBytes = (world: World, qos: Qos, id: number, dup = false) =>
  packet(0x30 | (qos << 1) | (dup ? 8 : 0), text(world.topic()), 0, id, properties(world.version), X)

async function subscriber(world: World, qos: Qos, options: object = {}): Promise<Client> {
  const client = await world.connect(options)
  await client.subscribe({ [world.topic()]: qos })
  return client
}

const counted = async (world: World, client: Client): Promise<number> => {
  const marker = world.topic('marker')
  await client.subscribe({ [marker]: 1 })
  return (await client.payloadsBefore(await world.helper(), marker)).length
}

const IDENTIFIERS: readonly ParityCase[] = [
  {
    name: 'the answers to QoS 1 and 2 have the identifier of their message, in order',
    clause:
      '[MQTT-2.3.1-6], [MQTT-3.3.4-1], [MQTT-4.3.2-2], [MQTT-4.3.3-2], 3.1.1; [MQTT-2.2.1-5], [MQTT-3.3.4-1], [MQTT-4.3.2-4], [MQTT-4.3.3-8], [MQTT-4.3.3-11], [MQTT-3.4.2-1], [MQTT-3.5.2-1], [MQTT-3.7.2-1], 5; section 4.6',
    versions: [4, 5],
    expected: 'puback 5, puback 6, pubrec 7, pubcomp 7',
    observe: async (world) => {
      const watcher = await subscriber(world, 0)
      const client = await world.connect({ silent: true })
      client.sendBytes(Buffer.concat([1, 1, 2].map((qos, n) => publishBytes(world, qos as Qos, n + 5))))
      await client.wait('pubrec')
      client.send({ cmd: 'pubrel', messageId: 7 })
      await client.wait('pubcomp')
      await watcher.wait('publish', 3)
      const answers = client.got.filter(({ cmd }) => cmd !== 'connack')
      return answers.map(({ cmd, messageId }) => `${cmd} ${messageId}`).join(', ')
    },
  },
  {
    name: 'unacknowledged messages of QoS 1 and 2 have different identifiers and no DUP; QoS 0 has none',
    clause:
      '[MQTT-2.3.1-1], [MQTT-2.3.1-4], [MQTT-2.3.1-5], [MQTT-4.3.2-1], [MQTT-4.3.3-1], 3.1.1; [MQTT-2.2.1-4], [MQTT-2.2.1-2], [MQTT-4.3.2-1], [MQTT-4.3.2-2], [MQTT-4.3.3-1], [MQTT-4.3.3-2], 5; [MQTT-4.3.1-1], [MQTT-3.3.1-2]',
    versions: [4, 5],
    expected: '9 messages, 6 identifiers above 0, DUP 0',
    observe: async (world) => {
      const client = await world.connect({ silent: true })
      await client.subscribe({ [world.topic()]: 2 })
      const helper = await world.helper()
      for (let n = 0; n < 9; n++)
        await helper.publish(world.topic(), 'x', { qos: (n % 3) as Qos, dup: n % 3 > 0 })
      await client.wait('publish', 9)
      const messages = client.of('publish')
      const ids = messages.filter(({ qos }) => qos > 0).map(({ messageId }) => messageId ?? 0)
      const above = new Set(ids.filter((id) => id > 0)).size
      const none = messages.every(({ qos, messageId }) => qos > 0 || messageId === undefined)
      const dup = messages.some((message) => message.dup) ? 'DUP 1' : 'DUP 0'
      return `${messages.length} messages, ${above} identifiers above 0, ${none ? '' : 'one with QoS 0, '}${dup}`
    },
  },
  {
    name: 'after PUBACK the same identifier is a new message, also with DUP',
    clause: '[MQTT-4.3.2-2], 3.1.1; [MQTT-4.3.2-5], 5',
    versions: [4, 5],
    expected: '2 messages',
    observe: async (world) => {
      const watcher = await subscriber(world, 1)
      const client = await world.connect({ silent: true })
      for (const [n, dup] of [false, true].entries()) {
        client.sendBytes(publishBytes(world, 1, 9, dup))
        await client.wait('puback', n + 1)
      }
      return `${await counted(world, watcher)} messages`
    },
  },
  {
    name: 'after PUBCOMP the same identifier is a new message',
    clause: '[MQTT-4.3.3-2], 3.1.1; [MQTT-4.3.3-12], 5',
    versions: [4, 5],
    expected: '2 messages',
    observe: async (world) => {
      const watcher = await subscriber(world, 2)
      const client = await world.connect({ silent: true })
      for (const count of [1, 2]) {
        client.sendBytes(publishBytes(world, 2, 9))
        await client.wait('pubrec', count)
        client.send({ cmd: 'pubrel', messageId: 9 })
        await client.wait('pubcomp', count)
      }
      return `${await counted(world, watcher)} messages`
    },
  },
  {
    name: 'a client that has lost its state sends another QoS 2 message with an identifier that is not released',
    clause: 'section 4.3.3',
    versions: [4, 5],
    expected: 'PUBREC, then the other message',
    observe: async (world) => {
      const watcher = await subscriber(world, 2)
      const before = await world.durable('board', { silent: true })
      before.sendBytes(publishBytes(world, 2, 1))
      await before.wait('pubrec')
      await before.vanish()
      const client = await world.durable('board', { silent: true })
      client.sendBytes(packet(0x34, text(world.topic()), 0, 1, properties(world.version), Buffer.from('y')))
      await client.wait('pubrec')
      client.send({ cmd: 'pubrel', messageId: 1 })
      await client.wait('pubcomp')
      const marker = world.topic('marker')
      await watcher.subscribe({ [marker]: 1 })
      const messages = await watcher.payloadsBefore(await world.helper(), marker)
      return String(messages.at(-1)?.payload) === 'y'
        ? 'PUBREC, then the other message'
        : 'PUBREC, and the message is lost'
    },
  },
  {
    name: 'PUBREC to a QoS 2 message is answered with PUBREL and the same identifier, PUBCOMP with nothing',
    clause:
      '[MQTT-4.3.3-1], 3.1.1; [MQTT-4.3.3-3], [MQTT-4.3.3-4], [MQTT-4.3.3-5], [MQTT-3.6.2-1], 5; [MQTT-4.4.0-1]',
    versions: [4, 5],
    expected: 'publish, pubrel, pingresp, the same id',
    observe: async (world) => {
      const client = await world.connect({ silent: true })
      await client.subscribe({ [world.topic()]: 2 })
      await (await world.helper()).publish(world.topic(), 'x', { qos: 2 })
      const { messageId = 0 } = await client.wait('publish')
      client.send({ cmd: 'pubrec', messageId })
      const pubrel = await client.wait('pubrel')
      client.send({ cmd: 'pubcomp', messageId }, { cmd: 'pingreq' })
      await client.wait('pingresp')
      const got = client.got.map(({ cmd }) => cmd).slice(2)
      return `${got.join(', ')}, ${pubrel.messageId === messageId ? 'the same id' : 'another id'}`
    },
  },
  {
    name: 'PINGREQ',
    clause: '[MQTT-3.12.4-1]',
    versions: [4, 5],
    expected: 'PINGRESP',
    observe: async (world) => {
      const client = await world.connect()
      client.send({ cmd: 'pingreq' })
      await client.wait('pingresp')
      return 'PINGRESP'
    },
  },
]

const FLOW: readonly ParityCase[] = [
  {
    name: 'a client with a receive maximum of 2 that does not acknowledge: two messages, and PINGRESP, SUBACK and QoS 0',
    clause: '[MQTT-3.3.4-9], [MQTT-3.3.4-10], [MQTT-4.9.0-1], [MQTT-4.9.0-2], [MQTT-4.9.0-3]',
    versions: [5],
    expected: '2 of QoS 1, 1 of QoS 0, then more',
    observe: async (world) => {
      const client = await world.connect({ silent: true, properties: { receiveMaximum: 2 } })
      await client.subscribe({ [world.topic()]: 1 })
      const helper = await world.helper()
      for (let n = 0; n < 5; n++) await helper.publish(world.topic(), String(n), { qos: 1 })
      await helper.publish(world.topic(), 'zero', { qos: 0 })
      await client.wait('publish', 3)
      client.send({ cmd: 'pingreq' })
      await client.wait('pingresp')
      const early = client.of('publish')
      const count = (qos: Qos) => early.filter((message) => message.qos === qos).length
      for (const { messageId = 0, qos } of early) if (qos === 1) client.send({ cmd: 'puback', messageId })
      await client.wait('publish', early.length + 2)
      return `${count(1)} of QoS 1, ${count(0)} of QoS 0, then more`
    },
  },
  {
    name: 'QoS 2 counts for the receive maximum until PUBCOMP, and not after a PUBREC with an error',
    clause: '[MQTT-4.9.0-2], [MQTT-4.4.0-2]',
    versions: [5],
    expected: '1, 1 after PUBREC, 2 after PUBCOMP, 3 after an error',
    observe: async (world) => {
      const client = await world.connect({ silent: true, properties: { receiveMaximum: 1 } })
      await client.subscribe({ [world.topic()]: 2 })
      const helper = await world.helper()
      for (let n = 0; n < 4; n++) await helper.publish(world.topic(), String(n), { qos: 2 })
      const { messageId = 0 } = await client.wait('publish')
      const seen = [client.of('publish').length]
      client.send({ cmd: 'pubrec', messageId }, { cmd: 'pingreq' })
      await client.wait('pingresp')
      seen.push(client.of('publish').length)
      client.send({ cmd: 'pubcomp', messageId })
      const second = await client.wait('publish', 2)
      seen.push(client.of('publish').length)
      client.send({ cmd: 'pubrec', messageId: second.messageId ?? 0, reasonCode: 0x80 })
      await client.wait('publish', 3)
      seen.push(client.of('publish').length)
      const [a, b, c, d] = seen
      return `${a}, ${b} after PUBREC, ${c} after PUBCOMP, ${d} after an error`
    },
  },
  {
    name: 'a message above the maximum packet size of one subscriber reaches only the other',
    clause: '[MQTT-3.1.2-24], [MQTT-3.1.2-25]',
    versions: [5],
    expected: 'small; large small',
    observe: async (world) => {
      const narrow = await subscriber(world, 1, { properties: { maximumPacketSize: 100 } })
      const wide = await subscriber(world, 1)
      const helper = await world.helper()
      await helper.publish(world.topic(), `large${' '.repeat(200)}`, { qos: 1 })
      await helper.publish(world.topic(), 'small', { qos: 1 })
      await wide.wait('publish', 2)
      await narrow.wait('publish')
      const payloads = (client: Client) =>
        client
          .of('publish')
          .map(({ payload }) => payload.toString().trim())
          .join(' ')
      return `${payloads(narrow)}; ${payloads(wide)}`
    },
  },
]

const EXPIRY: readonly ParityCase[] = [
  {
    name: 'a QoS 2 message that was sent before it expired is sent again after a reconnect',
    clause: '[MQTT-4.3.3-7]',
    versions: [5],
    expected: 'x, DUP 1',
    deviations: {
      mosquitto: { observed: 'nothing', why: 'Mosquitto 2.0.11 drops it, although it was sent before' },
    },
    observe: async (world) => {
      const first = await world.durable('s', { silent: true })
      await first.subscribe({ [world.topic('#')]: 2 })
      const options = { qos: 2, properties: { messageExpiryInterval: 1 } } as const
      await (await world.helper()).publish(world.topic(), 'x', options)
      await first.wait('publish')
      await first.vanish()
      await world.pass(2_100)
      const second = await world.durable('s')
      const messages = await second.payloadsBefore(await world.helper(), world.topic('marker'))
      return messages.map(({ payload, dup }) => `${payload}, DUP ${Number(dup)}`).join('; ') || 'nothing'
    },
  },
  {
    name: 'the exchange of a QoS 2 message goes on after it has expired',
    clause: '[MQTT-4.3.3-13]',
    versions: [5],
    expected: 'PUBCOMP',
    observe: async (world) => {
      const client = await world.connect({ silent: true })
      const properties = { messageExpiryInterval: 1 }
      client.send({
        ...{ cmd: 'publish', topic: world.topic(), payload: 'x', qos: 2, dup: false, retain: false },
        ...{ messageId: 3, properties },
      })
      await client.wait('pubrec')
      await world.pass(2_100)
      client.send({ cmd: 'pubrel', messageId: 3 })
      await client.wait('pubcomp')
      return 'PUBCOMP'
    },
  },
]

export const EXCHANGE_CASES: readonly ParityCase[] = [...IDENTIFIERS, ...FLOW, ...EXPIRY]
