import { until } from '../until.ts'
import { packet, properties, SURROGATE, text } from './bytes.ts'
import type { Version } from './client.ts'
import { type ParityCase, UNNOTICED, type World } from './parity-case.ts'

type Bytes = (version: Version) => Buffer

interface Malformed {
  readonly clause: string
  readonly bytes: Bytes
  readonly versions?: readonly Version[]
  readonly deviations?: ParityCase['deviations']
}

const X = Buffer.from('x')
const ID = [0, 7]
const publish = (topic: readonly number[] | string, ...props: readonly (number | Uint8Array)[]): Bytes => {
  return (version) => packet(0x30, text(topic), properties(version, ...props), X)
}
const subscribe = (filter: readonly number[] | string, options = 0, first = 0x82): Bytes => {
  return (version) => packet(first, ...ID, properties(version), text(filter), options)
}
const unsubscribe = (filter: readonly number[] | string, first = 0xa2): Bytes => {
  return (version) => packet(first, ...ID, properties(version), text(filter))
}
const V5 = [5] as const
/** What both standards call an error that ends the connection. */
const ERROR = '[MQTT-4.8.0-1], 3.1.1; [MQTT-4.13.1-1], 5'

const MALFORMED: Readonly<Record<string, Malformed>> = {
  'a topic name with a surrogate': {
    clause: '[MQTT-1.5.3-1], 3.1.1; [MQTT-1.5.4-1], 5; [MQTT-3.3.2-1]',
    bytes: publish(SURROGATE),
  },
  'a topic name with U+0000': {
    clause: '[MQTT-1.5.3-2], 3.1.1; [MQTT-1.5.4-2], 5; [MQTT-4.7.3-2]',
    bytes: publish('a\0'),
  },
  'a user property with a surrogate in its name': {
    ...{ clause: '[MQTT-1.5.7-1]', versions: V5 },
    bytes: publish('t', 0x26, text(SURROGATE), text('v')),
  },
  'a content type with a surrogate': {
    ...{ clause: '[MQTT-3.3.2-19]', versions: V5 },
    bytes: publish('t', 0x03, text(SURROGATE)),
  },
  'a response topic with a surrogate': {
    ...{ clause: '[MQTT-3.3.2-13]', versions: V5 },
    bytes: publish('t', 0x08, text(SURROGATE)),
  },
  'a response topic with a wildcard': {
    deviations: UNNOTICED,
    ...{ clause: '[MQTT-3.3.2-14]', versions: V5 },
    bytes: publish('t', 0x08, text('a/+')),
  },
  'a subscription identifier in PUBLISH': {
    deviations: UNNOTICED,
    ...{ clause: '[MQTT-3.3.4-6]', versions: V5 },
    bytes: publish('t', 0x0b, 1),
  },
  'a topic alias of 0': { clause: '[MQTT-3.3.2-8]', versions: V5, bytes: publish('t', 0x23, 0, 0) },
  'a topic alias above the maximum in CONNACK': {
    ...{ clause: '[MQTT-3.3.2-9]', versions: V5 },
    bytes: publish('t', 0x23, 0xff, 0xff),
  },
  'a topic alias without its topic': {
    ...{ clause: 'section 3.3.2.3.4', versions: V5 },
    bytes: publish('', 0x23, 0, 1),
  },
  'a property twice': {
    ...{ clause: '[MQTT-4.13.1-1]', versions: V5 },
    bytes: publish('t', 0x01, 0, 0x01, 0),
  },
  'a payload format indicator of 2': {
    deviations: UNNOTICED,
    ...{ clause: '[MQTT-4.13.1-1]', versions: V5 },
    bytes: publish('t', 0x01, 2),
  },
  'a property that PUBLISH may not have': {
    ...{ clause: '[MQTT-4.13.1-1]', versions: V5 },
    bytes: publish('t', 0x21, 0, 5),
  },
  'properties longer than their packet': {
    ...{ clause: '[MQTT-4.13.1-1]', versions: V5 },
    bytes: () => packet(0x30, text('t'), 100, 0x01, 0),
  },
  'a PUBLISH with QoS 3': {
    clause: '[MQTT-3.3.1-4]',
    bytes: (version) => packet(0x36, text('t'), ...ID, properties(version), X),
  },
  'a PUBLISH with packet identifier 0': {
    clause: '[MQTT-2.3.1-1], 3.1.1; [MQTT-2.2.1-3], 5',
    bytes: (version) => packet(0x32, text('t'), 0, 0, properties(version), X),
  },
  'a topic name with +': {
    clause: '[MQTT-4.7.1-1], 3.1.1; [MQTT-4.7.0-1], 5; [MQTT-3.3.2-2]',
    bytes: publish('a/+'),
  },
  'a topic name with #': { clause: '[MQTT-3.3.2-2]', bytes: publish('a/#') },
  'an empty topic name': { clause: '[MQTT-4.7.3-1]', bytes: publish('') },
  'a topic longer than its packet': {
    clause: `[MQTT-4.7.3-3]; ${ERROR}`,
    bytes: () => packet(0x30, 0xff, 0xff, X),
  },
  'reserved flags of PINGREQ': {
    deviations: UNNOTICED,
    clause: '[MQTT-2.2.2-1], [MQTT-2.2.2-2], 3.1.1; [MQTT-2.1.3-1], 5',
    bytes: () => packet(0xc1),
  },
  'reserved flags of PUBACK': {
    deviations: UNNOTICED,
    clause: '[MQTT-2.2.2-1], [MQTT-2.2.2-2], 3.1.1; [MQTT-2.1.3-1], 5',
    bytes: () => packet(0x41, ...ID),
  },
  'reserved flags of PUBREL': { clause: '[MQTT-3.6.1-1]', bytes: () => packet(0x60, ...ID) },
  'reserved flags of SUBSCRIBE': { clause: '[MQTT-3.8.1-1]', bytes: subscribe('t', 0, 0x80) },
  'reserved flags of UNSUBSCRIBE': { clause: '[MQTT-3.10.1-1]', bytes: unsubscribe('t', 0xa0) },
  'reserved flags of AUTH': {
    ...{ clause: '[MQTT-3.15.1-1]', versions: V5 },
    bytes: () => packet(0xf1, 0x19, 0),
  },
  'AUTH without an authentication method in CONNECT': {
    ...{ clause: '[MQTT-4.12.0-7]', versions: V5 },
    bytes: () => packet(0xf0, 0x19, 0),
  },
  'a PUBACK with a property that it may not have': {
    ...{ clause: '[MQTT-4.13.1-1]', versions: V5 },
    bytes: () => packet(0x40, ...ID, 0, 2, 0x01, 0),
  },
  ...Object.fromEntries(
    Object.entries({ PUBACK: 0x40, PUBREC: 0x50, PUBREL: 0x62, PUBCOMP: 0x70 }).map(([name, first]) => [
      `a ${name} with a byte behind its properties`,
      {
        deviations: UNNOTICED,
        ...{ clause: '[MQTT-4.13.1-1]', versions: V5 },
        bytes: () => packet(first, ...ID, 0, 0, 0),
      },
    ]),
  ),
  'a PINGREQ with a body': { deviations: UNNOTICED, clause: ERROR, bytes: () => packet(0xc0, 0) },
  'a SUBSCRIBE without a filter': {
    clause: '[MQTT-3.8.3-3], 3.1.1; [MQTT-3.8.3-2], 5',
    bytes: (version) => packet(0x82, ...ID, properties(version)),
  },
  'a SUBSCRIBE with reserved bits in its options': {
    clause: '[MQTT-3.8.3-4], 3.1.1; [MQTT-3.8.3-5], 5',
    bytes: subscribe('t', 0x80),
  },
  'a SUBSCRIBE with QoS 3': {
    clause: '[MQTT-3.8.3-4], 3.1.1; section 3.8.3.1, 5',
    bytes: subscribe('t', 3),
  },
  'a SUBSCRIBE with retain handling 3': {
    ...{ clause: 'section 3.8.3.1', versions: V5 },
    bytes: subscribe('t', 0x30),
  },
  'a SUBSCRIBE with a subscription identifier of 0': {
    ...{ clause: 'section 3.8.2.1.2', versions: V5 },
    bytes: () => packet(0x82, ...ID, 2, 0x0b, 0, text('t'), 0),
  },
  'No Local in a shared subscription': {
    deviations: UNNOTICED,
    ...{ clause: '[MQTT-3.8.3-4]', versions: V5 },
    bytes: subscribe('$share/g/t', 4),
  },
  'a filter with a surrogate': { clause: '[MQTT-3.8.3-1]', bytes: subscribe(SURROGATE) },
  'an UNSUBSCRIBE with a surrogate': { clause: '[MQTT-3.10.3-1]', bytes: unsubscribe(SURROGATE) },
  'an UNSUBSCRIBE without a filter': {
    clause: '[MQTT-3.10.3-2]',
    bytes: (version) => packet(0xa2, ...ID, properties(version)),
  },
  'a length of five bytes': {
    clause: `${ERROR}; [MQTT-1.5.5-1], 5`,
    bytes: () => Buffer.of(0xc0, 0x80, 0x80, 0x80, 0x80, 0x00),
  },
  'a length of properties of five bytes': {
    ...{ clause: '[MQTT-1.5.5-1]', versions: V5 },
    bytes: () => packet(0x30, text('t'), 0x80, 0x80, 0x80, 0x80, 0x00, X),
  },
  'a CONNACK from a client': { clause: ERROR, bytes: () => packet(0x20, 0, 0, 0) },
  'a second CONNECT': {
    clause: '[MQTT-3.1.0-2]',
    bytes: (version) => packet(0x10, text('MQTT'), version, 2, 0, 60, properties(version), text('again')),
  },
}

async function afterBytes(world: World, bytes: Buffer): Promise<string> {
  const client = await world.connect()
  client.sendBytes(bytes)
  client.send({ cmd: 'pingreq' })
  await until(() => client.isClosed || client.of('pingresp').length > 0, 'an answer')
  return client.isClosed ? 'closed' : 'stays open'
}

export const MALFORMED_CASES: readonly ParityCase[] = Object.entries(MALFORMED).map(
  ([name, { clause, bytes, versions, deviations }]) => ({
    ...{ name, clause, versions: versions ?? [4, 5], expected: 'closed', deviations: deviations ?? {} },
    observe: (world) => afterBytes(world, bytes(world.version)),
  }),
)
