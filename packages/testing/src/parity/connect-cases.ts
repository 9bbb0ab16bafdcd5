import type { Packet } from 'mqtt-packet'
import { until } from '../until.ts'
import { type ConnectBytes, connectBytes, packet, properties, SURROGATE, text } from './bytes.ts'
import type { Client, Version } from './client.ts'
import { type ParityCase, type World, will } from './parity-case.ts'

interface Bad {
  readonly clause: string
  readonly versions?: readonly Version[]
  readonly connect: (version: Version) => ConnectBytes
  readonly deviations?: ParityCase['deviations']
}

const ID = text('bad')
const V5 = [5] as const
const WITH_WILL = 0x06
const willFields = (version: Version) => [properties(version), text('will'), text('x')]
const field = (name: number, ...value: readonly (number | Uint8Array)[]) => ({
  versions: V5,
  connect: () => ({ properties: [name, ...value], payload: [ID] }),
})

const BAD: Readonly<Record<string, Bad>> = {
  'the protocol name MQTX': {
    clause: '[MQTT-3.1.2-1]; [MQTT-3.2.2-6], 3.1.1',
    connect: () => ({ name: 'MQTX', payload: [ID] }),
  },
  'the reserved flag': { clause: '[MQTT-3.1.2-3]', connect: () => ({ flags: 3, payload: [ID] }) },
  'a will QoS without a will': {
    clause: '[MQTT-3.1.2-11], [MQTT-3.1.2-13], 3.1.1; [MQTT-3.1.2-11], 5',
    connect: () => ({ flags: 0x0a, payload: [ID] }),
  },
  'the will retain flag without a will': {
    clause: '[MQTT-3.1.2-15], 3.1.1; [MQTT-3.1.2-13], 5',
    connect: () => ({ flags: 0x22, payload: [ID] }),
  },
  'a will with QoS 3': {
    clause: '[MQTT-3.1.2-14], 3.1.1; [MQTT-3.1.2-12], 5',
    connect: (version) => ({ flags: 0x1e, payload: [ID, ...willFields(version)] }),
  },
  'the will flag without a will': {
    clause: '[MQTT-3.1.2-9]',
    connect: () => ({ flags: WITH_WILL, payload: [ID] }),
  },
  'a username without its flag': {
    clause: '[MQTT-3.1.2-18], 3.1.1; [MQTT-3.1.2-16], 5; [MQTT-3.1.4-1]',
    connect: () => ({ payload: [ID, text('u')] }),
  },
  'the username flag without a username': {
    clause: '[MQTT-3.1.2-19], 3.1.1; [MQTT-3.1.2-17], 5; [MQTT-3.1.4-1]',
    connect: () => ({ flags: 0x82, payload: [ID] }),
  },
  'a password without its flag': {
    clause: '[MQTT-3.1.2-20], 3.1.1; [MQTT-3.1.2-18], 5',
    connect: () => ({ flags: 0x82, payload: [ID, text('u'), text('p')] }),
  },
  'the password flag without a password': {
    clause: '[MQTT-3.1.2-21], 3.1.1; [MQTT-3.1.2-19], 5',
    connect: () => ({ flags: 0xc2, payload: [ID, text('u')] }),
  },
  'a password without a username': {
    ...{ clause: '[MQTT-3.1.2-22]', versions: [4] },
    connect: () => ({ flags: 0x42, payload: [ID, text('p')] }),
  },
  'no client id': { clause: '[MQTT-3.1.3-3]', connect: () => ({ payload: [] }) },
  'a client id with a surrogate': {
    clause: '[MQTT-3.1.3-4]',
    connect: () => ({ payload: [text(SURROGATE)] }),
  },
  'a will topic with a surrogate': {
    clause: '[MQTT-3.1.3-10], 3.1.1; [MQTT-3.1.3-11], 5',
    connect: (version) => ({
      ...{ flags: WITH_WILL, payload: [ID, properties(version), text(SURROGATE), text('x')] },
    }),
  },
  'a username with a surrogate': {
    clause: '[MQTT-3.1.3-11], 3.1.1; [MQTT-3.1.3-12], 5',
    connect: () => ({ flags: 0x82, payload: [ID, text(SURROGATE)] }),
  },
  'the will after the username': {
    clause: '[MQTT-3.1.3-1]',
    connect: (version) => ({ flags: 0x86, payload: [text('u'), ...willFields(version), ID, X] }),
  },
  'a receive maximum of 0': { clause: 'section 3.1.2.11.3', ...field(0x21, 0, 0) },
  'a maximum packet size of 0': { clause: 'section 3.1.2.11.4', ...field(0x27, 0, 0, 0, 0) },
  'a request for problem information of 2': { clause: 'section 3.1.2.11.7', ...field(0x17, 2) },
  'a session expiry twice': {
    clause: 'section 3.1.2.11.2',
    ...field(0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 1),
  },
  'authentication data without a method': {
    clause: 'section 3.1.2.11.10',
    deviations: {
      mosquitto: { observed: 'accepted', why: 'Mosquitto 2.0.11 ignores the data' },
    },
    ...field(0x16, text('x')),
  },
  'an unknown authentication method': { clause: '[MQTT-4.12.0-1]', ...field(0x15, text('x')) },
}

const X = Buffer.from('x')

/** Sends bytes on a new connection and reports how the broker ends it. */
async function ending(world: World, bytes: Buffer): Promise<string> {
  const client = world.raw()
  client.sendBytes(bytes)
  await until(() => client.isClosed || isAccepted(client), 'an answer')
  if (!client.isClosed) return 'accepted'
  const [first] = client.got
  const isRefused = first === undefined || (world.version === 5 && first.cmd === 'connack')
  return isRefused && client.got.length < 2 ? 'closed' : `${first?.cmd}, closed`
}

function isAccepted(client: Client): boolean {
  const [connack] = client.of('connack')
  return connack !== undefined && (connack.returnCode ?? connack.reasonCode) === 0
}

const BAD_CASES = Object.entries(BAD).map(
  ([name, { clause, versions, connect, deviations }]): ParityCase => ({
    ...{ name: `a CONNECT with ${name}`, clause, versions: versions ?? [4, 5], expected: 'closed' },
    deviations: deviations ?? {},
    observe: (world) => ending(world, connectBytes(world.version, connect(world.version))),
  }),
)

const names = (packets: readonly Packet[]): string => packets.map(({ cmd }) => cmd).join(', ')
/** Refused in each version: an empty id without a clean session, and an unknown authentication method. */
const refused = (version: Version): Buffer =>
  version === 4
    ? connectBytes(4, { flags: 0, payload: [text('')] })
    : connectBytes(5, { properties: [0x15, text('x')], payload: [ID] })

const GOOD_CASES: readonly ParityCase[] = [
  {
    name: 'another packet before CONNECT',
    clause: '[MQTT-3.1.0-1]; [MQTT-3.14.0-1], 5',
    versions: [4, 5],
    expected: 'closed',
    observe: (world) => ending(world, packet(0xc0)),
  },
  {
    name: 'an unknown protocol level',
    clause: '[MQTT-3.1.2-2]',
    versions: [4],
    expected: 'CONNACK 1, closed',
    observe: async (world) => {
      const client = world.raw()
      client.sendBytes(connectBytes(4, { level: 6, payload: [ID] }))
      await client.closed()
      return `CONNACK ${client.of('connack')[0]?.returnCode}, closed`
    },
  },
  {
    name: 'a level between 3.1.1 and 5, with another name',
    clause: '[MQTT-3.1.2-2]',
    versions: [5],
    expected: 'closed',
    observe: (world) => ending(world, connectBytes(5, { name: 'MQIsdp', payload: [ID] })),
  },
  {
    name: 'packets sent together with CONNECT',
    clause: '[MQTT-3.2.0-1]; [MQTT-3.2.0-2], 5; [MQTT-3.1.4-4], 3.1.1; [MQTT-3.1.4-5], 5; [MQTT-4.2-1], 5',
    versions: [4, 5],
    expected: 'connack, suback, pingresp, pingresp',
    observe: async (world) => {
      const client = world.open()
      client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: world.topic(), qos: 0 }] })
      client.send({ cmd: 'pingreq' }, { cmd: 'pingreq' })
      await client.wait('pingresp', 2)
      return names(client.got)
    },
  },
  {
    name: 'the flags of CONNACK, and no property that was not asked for',
    clause: '[MQTT-3.2.2-1], [MQTT-3.1.2-28], [MQTT-4.12.0-6], [MQTT-3.2.2-8]',
    versions: [5],
    expected: 'flags 0, reason 0',
    observe: async (world) => {
      const client = await world.connect({ properties: { requestResponseInformation: false } })
      const [, , flags, reason] = client.bytes()
      const { responseInformation, authenticationMethod } = client.of('connack')[0]?.properties ?? {}
      const unasked = [responseInformation, authenticationMethod].filter((value) => value !== undefined)
      return [`flags ${flags}`, `reason ${reason}`, ...unasked].join(', ')
    },
  },
  {
    name: 'a refused CONNECT followed by a message',
    clause:
      '[MQTT-3.2.2-4], [MQTT-3.2.2-5], [MQTT-3.1.4-5], 3.1.1; [MQTT-3.2.2-6], [MQTT-3.2.2-7], [MQTT-3.1.4-6], [MQTT-4.13.2-1], [MQTT-3.1.4-2], 5',
    versions: [4, 5],
    expected: 'not present, closed, no message',
    observe: async (world) => {
      const watcher = await world.connect()
      await watcher.subscribe({ [world.topic('#')]: 0 })
      const client = world.raw()
      const message = packet(0x30, text(world.topic()), properties(world.version), X)
      client.sendBytes(Buffer.concat([refused(world.version), message]))
      await client.closed()
      const messages = await watcher.payloadsBefore(await world.helper(), world.topic('marker'))
      const { sessionPresent } = await client.wait('connack')
      return `${sessionPresent ? 'present' : 'not present'}, closed, ${messages.length || 'no'} message`
    },
  },
  {
    name: 'a client id of 23 letters and digits',
    clause: '[MQTT-3.1.3-5]',
    versions: [4, 5],
    expected: 'accepted',
    observe: (world) =>
      ending(
        world,
        connectBytes(world.version, {
          payload: [
            text(
              world
                .id('X')
                .replace(/[^a-zA-Z0-9]/g, '')
                .padEnd(23, 'x'),
            ),
          ],
        }),
      ),
  },
  {
    name: 'a connection without a will',
    clause: '[MQTT-3.1.2-12], 3.1.1; section 3.1.2.5, 5',
    versions: [4, 5],
    expected: '0 messages',
    observe: async (world) => {
      const watcher = await world.connect()
      await watcher.subscribe({ [world.topic('#')]: 0 })
      const clientId = world.id('w')
      await (await world.connect({ clientId, ...will(world.topic()) })).disconnect()
      await (await world.connect({ clientId })).vanish()
      const messages = await watcher.payloadsBefore(await world.helper(), world.topic('marker'))
      return `${messages.length} messages`
    },
  },
]

export const CONNECT_CASES: readonly ParityCase[] = [...BAD_CASES, ...GOOD_CASES]
