import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generate, type Packet } from 'mqtt-packet'
import { connect, start, tcp } from './connecting.ts'
import { connectedRaw, connectPacket, publishPacket, rawClient, v5 } from './raw-client.ts'

const subscribe = (messageId: number, ...topics: readonly string[]): Packet => ({
  cmd: 'subscribe',
  messageId,
  subscriptions: topics.map((topic) => ({ topic, qos: 1 })),
})

/** A QoS 0 PUBLISH to topic `t` with these properties. */
const publishWith = (properties: string): Buffer =>
  Buffer.from(
    `30${hexLength(4 + properties.length / 2)}000174${hexLength(properties.length / 2)}${properties}`,
    'hex',
  )

const hexLength = (bytes: number) => bytes.toString(16).padStart(2, '0')

test('SUBACK and UNSUBACK have a code for each filter, in order', async (t) => {
  const broker = await start(t)
  const client = await connectedRaw(t, broker)
  client.send(subscribe(7, 'a', 'b/#/c', '$share/+/c', 'a', 'd/+'), subscribe(8, '#/no'))
  const subacks = await client.wait('suback', 2)
  assert.deepEqual(
    new Map(subacks.map(({ messageId, granted }) => [messageId, granted])),
    new Map([
      [7, [1, 0x8f, 0x8f, 1, 1]],
      [8, [0x8f]],
    ]),
  )
  client.send(
    { cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['a', 'never', 'd/+', 'b/#/c'] },
    { cmd: 'unsubscribe', messageId: 10, unsubscriptions: ['+x'] },
  )
  const unsubacks = await client.wait('unsuback', 2)
  assert.deepEqual(
    new Map(unsubacks.map(({ messageId, granted }) => [messageId, granted])),
    new Map([
      [9, [0, 0x11, 0, 0x8f]],
      [10, [0x8f]],
    ]),
  )
})

test('unsupported features and protocol errors close the connection with a reason', async (t) => {
  const broker = await start(t)
  const bystander = await connect(t, tcp(broker))
  const auth = generate({ cmd: 'auth', reasonCode: 0x18 }, v5)
  const cases: readonly (readonly [string, Packet | Buffer, number])[] = [
    ['a topic alias of 0', publishWith('230000'), 0x94],
    ['a topic alias above the maximum', publishWith('230011'), 0x94],
    ['a topic alias without its topic', Buffer.from('3006000003230001', 'hex'), 0x82],
    ['a subscription identifier in PUBLISH', publishWith('0b01'), 0x82],
    ['an unknown property', publishWith('7f00'), 0x81],
    ['a truncated property', publishWith('0300ff61'), 0x81],
    ['a repeated property', publishWith('01000101'), 0x82],
    ['a second CONNECT', connectPacket(), 0x82],
    ['AUTH', auth, 0x82],
    ['a subscription identifier of 0', Buffer.from('82090001020b0000016100', 'hex'), 0x82],
    ['a packet identifier of 0', publishPacket(0), 0x81],
    ['a wildcard in a topic', { ...publishPacket(1), topic: 'a/#' } as Packet, 0x90],
    ['a topic of the broker', { ...publishPacket(1), topic: '$SYS/x' } as Packet, 0x90],
    ['no topic', { ...publishPacket(1), topic: '' } as Packet, 0x90],
    ['a topic that is not UTF-8', Buffer.from('30040001ff00', 'hex'), 0x81],
    ['QoS 3', Buffer.from('36060001740001' + '00', 'hex'), 0x81],
    ['a length of five bytes', Buffer.from('308080808001', 'hex'), 0x81],
    ['SUBSCRIBE without a filter', Buffer.from('8203000100', 'hex'), 0x82],
    ['wrong flags', Buffer.from('8005000100000161', 'hex'), 0x81],
    ['a packet that only brokers send', Buffer.from('d000', 'hex'), 0x82],
    [
      'a session expiry that was 0 in CONNECT',
      { cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 5 } },
      0x82,
    ],
  ]
  for (const [what, packet, reason] of cases) {
    const client = await connectedRaw(t, broker)
    client.send(packet)
    await client.waitClosed()
    const last = client.got.at(-1)
    assert.deepEqual([last?.cmd, (last as { reasonCode?: number }).reasonCode], ['disconnect', reason], what)
  }
  assert.ok(bystander.connected)
})

test('a CONNECT that cannot be served is refused with a reason', async (t) => {
  const broker = await start(t)
  const will = { topic: 'a/+', payload: Buffer.from('x') }
  const cases: readonly (readonly [string, Packet | Buffer, number])[] = [
    ['enhanced authentication', connectPacket({ properties: { authenticationMethod: 'x' } }), 0x8c],
    ['a will to a filter', connectPacket({ will }), 0x90],
    ['a receive maximum of 0', connectPacket({ properties: { receiveMaximum: 0 } }), 0x82],
    ['a reserved flag', Buffer.from('100d00044d5154540503000000000000', 'hex').subarray(0, 15), 0x81],
    ['more than the limit', connectPacket({ username: 'u'.repeat(20_000) }), 0x95],
  ]
  for (const [what, packet, reason] of cases) {
    const client = rawClient(t, broker)
    client.send(packet)
    await client.waitClosed()
    const [first] = client.got
    assert.deepEqual([first?.cmd, (first as { reasonCode?: number }).reasonCode], ['connack', reason], what)
  }
})

test('a client that is silent for too long gets the reason', async (t) => {
  const broker = await start(t)
  const client = await connectedRaw(t, broker, { keepalive: 1 })
  const [disconnect] = await client.wait('disconnect')
  assert.equal(disconnect?.reasonCode, 0x8d)
  await client.waitClosed()
})

test('packets before CONNACK, and a CONNECT in single bytes, are understood', async (t) => {
  const broker = await start(t)
  const client = rawClient(t, broker)
  const hello = generate(connectPacket(), v5)
  for (const byte of hello) {
    client.send(Buffer.of(byte))
    await new Promise(setImmediate)
  }
  client.send(subscribe(1, 't'), publishPacket(2, 'early'), { cmd: 'pingreq' })
  const [publish] = await client.wait('publish')
  assert.equal(String(publish?.payload), 'early')
  await client.wait('pingresp')
})

test('a client with an unknown version, and one that closes at once, affect no other client', async (t) => {
  const broker = await start(t)
  const bystander = await connect(t, tcp(broker))
  const unknown = rawClient(t, broker)
  unknown.send(Buffer.from('100c00044d5154540602000000000000', 'hex').subarray(0, 14))
  await unknown.waitClosed()
  const short = rawClient(t, broker)
  short.send(Buffer.from('10', 'hex'))
  short.destroy()
  await short.waitClosed()
  assert.ok(bystander.connected)
})
