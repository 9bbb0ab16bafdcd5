import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import type { Packet } from 'mqtt-packet'
import { connack, fakeBroker, type Peer, publish } from './fake-broker.ts'
import { startSource } from './start-source.ts'

const qos2 = (messageId: number, payload: string, dup = false): Packet => ({
  ...(publish(messageId, payload, dup) as Packet & { cmd: 'publish' }),
  qos: 2,
})

const answers = ({ received }: Peer) =>
  received.flatMap(({ cmd, messageId }) =>
    cmd === 'puback' || cmd === 'pubrec' || cmd === 'pubcomp' ? [`${cmd} ${messageId}`] : [],
  )

for (const version of [5, 4] as const) {
  test(`MQTT ${version}: PUBREC waits until the message is settled, PUBCOMP answers PUBREL`, async (t) => {
    const broker = await fakeBroker(t, {
      onConnect: (peer) =>
        peer.send(
          peer.connect.protocolVersion === version
            ? connack()
            : ({ ...connack(), reasonCode: 132, returnCode: 1 } as Packet),
        ),
    })
    const { connected, deliveries } = startSource(t, broker.url)
    await connected
    const peer = broker.peers.at(-1) ?? assert.fail()
    peer.send(publish(3, 'one'), qos2(4, 'two'), publish(5, 'three'))
    await until(() => deliveries.length === 3, 'three deliveries')
    deliveries[2]?.settle()
    deliveries[1]?.settle()
    peer.send({ cmd: 'pubrel', messageId: 99 })
    await until(() => answers(peer).length === 1, 'the answer to an unknown PUBREL')
    assert.deepEqual(answers(peer), ['pubcomp 99'])
    deliveries[0]?.settle()
    await until(() => answers(peer).length === 4, 'the answers')
    peer.send({ cmd: 'pubrel', messageId: 4 })
    await until(() => answers(peer).length === 5, 'PUBCOMP')
    assert.deepEqual(answers(peer).slice(1), ['puback 3', 'pubrec 4', 'puback 5', 'pubcomp 4'])
  })
}

test('a QoS 2 message that arrives twice before its PUBREL is handed on once', async (t) => {
  const broker = await fakeBroker(t, { onConnect: (peer) => peer.send(connack(true)) })
  const { source, connected, deliveries } = startSource(t, broker.url)
  await connected
  const [first = assert.fail()] = broker.peers
  first.send(qos2(7, 'x'), qos2(7, 'x', true))
  await until(() => deliveries.length === 1, 'the delivery')
  deliveries[0]?.settle()
  await until(() => answers(first).length === 1, 'PUBREC')
  first.destroy()
  await until(() => source.status.reconnects === 1, 'a reconnect')
  const [, second = assert.fail()] = broker.peers
  second.send(qos2(7, 'x', true), qos2(8, 'y'))
  await until(() => deliveries.length === 2, 'the other message')
  assert.equal(deliveries[1]?.payload.toString(), 'y')
  await until(() => answers(second).length === 1, 'PUBREC again')
  assert.deepEqual(answers(second), ['pubrec 7'])
})

test('an unanswered message, or another one with a reused packet identifier, is handed on', async (t) => {
  const broker = await fakeBroker(t, { onConnect: (peer) => peer.send(connack(true)) })
  const { source, connected, deliveries } = startSource(t, broker.url)
  await connected
  broker.peers[0]?.send(qos2(7, 'answered'), qos2(8, 'waits'))
  await until(() => deliveries.length === 2, 'two deliveries')
  deliveries[0]?.settle()
  await until(() => answers(broker.peers[0] ?? assert.fail()).length === 1, 'PUBREC')
  broker.peers[0]?.destroy()
  await until(() => source.status.reconnects === 1, 'a reconnect')
  deliveries[1]?.settle()
  const [, peer = assert.fail()] = broker.peers
  peer.send(qos2(7, 'another', true), qos2(8, 'waits', true))
  await until(() => deliveries.length === 4, 'both')
  deliveries[2]?.settle()
  deliveries[3]?.settle()
  await until(() => answers(peer).length === 2, 'their PUBRECs')
  assert.deepEqual(answers(peer), ['pubrec 7', 'pubrec 8'])
})
