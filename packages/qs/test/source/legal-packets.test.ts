import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { fakeBroker, publish } from './fake-broker.ts'
import { pubacks, startSource } from './start-source.ts'

const topic = [0, 18, ...Buffer.from('qs/v1/dev-1/events')]
const userProperty = [0x26, 0, 1, 0x61, 0, 1, 0x62]

/** A PUBLISH of MQTT 5 with QoS 1, the payload `x` and these properties. */
function publishWith(packetId: number, properties: readonly number[]): readonly number[] {
  const size = properties.length
  const length = size < 128 ? [size] : [(size & 0x7f) | 0x80, size >> 7]
  const body = [...topic, 0, packetId, ...length, ...properties, 0x78]
  const remaining = body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7]
  return [0x32, ...remaining, ...body]
}

/** MQTT 5 [2.1.2, and the properties of table 2-4 that a server may send]. */
const LEGAL: Readonly<Record<string, readonly number[]>> = {
  'PUBACK without a reason code': [0x40, 2, 0, 9],
  'PUBACK with "no matching subscribers"': [0x40, 3, 0, 9, 0x10],
  'PUBACK with a reason string': [0x40, 8, 0, 9, 0x87, 4, 0x1f, 0, 1, 0x61],
  'PUBACK with a user property': [0x40, 11, 0, 9, 0x99, 7, ...userProperty],
  'PUBREC of an unknown packet identifier': [0x50, 3, 0, 9, 0x92],
  'PUBREL of an unknown packet identifier': [0x62, 3, 0, 9, 0x92],
  'PUBREL with a reason string': [0x62, 8, 0, 9, 0, 4, 0x1f, 0, 1, 0x61],
  'PUBCOMP of an unknown packet identifier': [0x70, 3, 0, 9, 0x92],
  'a second SUBACK': [0x90, 4, 0, 1, 0, 1],
  'SUBACK with properties': [0x90, 11, 0, 1, 7, ...userProperty, 1],
  'an unsolicited UNSUBACK': [0xb0, 4, 0, 7, 0, 0x11],
  'an unsolicited PINGRESP': [0xd0, 0],
  AUTH: [0xf0, 0],
  'AUTH with a method': [0xf0, 6, 0x18, 4, 0x15, 0, 1, 0x61],
  'PUBLISH with payload format, expiry and content type': publishWith(21, [
    ...[0x01, 1, 0x02, 0, 0, 0, 9, 0x03, 0, 1, 0x6a],
  ]),
  'PUBLISH with response topic and correlation data': publishWith(22, [
    ...[0x08, 0, 1, 0x72, 0x09, 0, 2, 1, 2],
  ]),
  'PUBLISH with two subscription identifiers': publishWith(23, [0x0b, 1, 0x0b, 0xff, 0x7f]),
  'PUBLISH with properties of 700 bytes': publishWith(
    24,
    Array.from({ length: 100 }, () => userProperty).flat(),
  ),
  'PUBLISH with the retain flag': [0x33, ...publishWith(25, []).slice(1)],
}

for (const [name, bytes] of Object.entries(LEGAL)) {
  test(`the connection survives ${name}`, async (t) => {
    const broker = await fakeBroker(t)
    const { source, connected, deliveries } = startSource(t, broker.url)
    await connected
    const [peer = assert.fail()] = broker.peers
    peer.sendBytes(bytes)
    peer.send(publish(77, 'after'))
    await until(() => deliveries.at(-1)?.payload.toString() === 'after', 'what follows')
    for (const delivery of deliveries) delivery.settle()
    await until(() => pubacks(peer.received).includes(77), 'its PUBACK')
    assert.equal(source.status.reconnects, 0)
    assert.equal(deliveries.length, name.startsWith('PUBLISH') ? 2 : 1)
  })
}

const GOODBYES: Readonly<Record<string, readonly number[]>> = {
  'without a reason code': [0xe0, 0],
  'with a reason code': [0xe0, 1, 0x8b],
  'with reason string and server reference': [0xe0, 10, 0x9d, 8, 0x1f, 0, 1, 0x61, 0x1c, 0, 1, 0x62],
  'with a reason code of a later version': [0xe0, 1, 0xf1],
}

for (const [name, bytes] of Object.entries(GOODBYES)) {
  test(`after a DISCONNECT ${name} it connects again`, async (t) => {
    const broker = await fakeBroker(t)
    const { source, connected, failures } = startSource(t, broker.url)
    await connected
    broker.peers[0]?.sendBytes(bytes)
    await until(() => source.status.reconnects === 1, 'a reconnect')
    assert.deepEqual(failures, [])
  })
}
