import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import type { Packet } from 'mqtt-packet'
import { realEdges } from '../../src/app/edges.ts'
import { connack, fakeBroker, publish } from './fake-broker.ts'
import { pubacks, startSource } from './start-source.ts'

test('the session is durable, and requested with MQTT 5 first', async (t) => {
  const broker = await fakeBroker(t)
  const { connected } = startSource(t, broker.url, { username: 'u', password: () => 'p' })
  await connected
  const { connect } = broker.peers[0] ?? assert.fail()
  assert.equal(connect.protocolVersion, 5)
  assert.equal(connect.clean, false)
  assert.equal(connect.clientId, 'test')
  assert.equal(connect.username, 'u')
  assert.equal(connect.password?.toString(), 'p')
  assert.deepEqual({ ...connect.properties }, { sessionExpiryInterval: 60, receiveMaximum: 100 })
})

test('a message is answered when it is settled and not before, in the order of arrival', async (t) => {
  const broker = await fakeBroker(t)
  const { connected, deliveries } = startSource(t, broker.url)
  await connected
  const [peer = assert.fail()] = broker.peers
  peer.send(publish(7, 'a'), publish(8, 'b', true), publish(9, 'c'))
  await until(() => deliveries.length === 3, 'three deliveries')
  assert.deepEqual(
    deliveries.map(({ payload, redelivered }) => [payload.toString(), redelivered]),
    [
      ['a', false],
      ['b', true],
      ['c', false],
    ],
  )
  deliveries[2]?.settle()
  deliveries[0]?.settle()
  await until(() => pubacks(peer.received).length === 1, 'a PUBACK')
  assert.deepEqual(pubacks(peer.received), [7])
  deliveries[1]?.settle()
  await until(() => pubacks(peer.received).length === 3, 'all PUBACKs')
  assert.deepEqual(pubacks(peer.received), [7, 8, 9])
})

test('a message settled after its connection ended is not answered on another one', async (t) => {
  const broker = await fakeBroker(t)
  const { source, connected, deliveries } = startSource(t, broker.url)
  await connected
  broker.peers[0]?.send(publish(7, 'old'))
  await until(() => deliveries.length === 1, 'the delivery')
  broker.peers[0]?.destroy()
  await until(() => source.status.reconnects === 1, 'a reconnect')
  deliveries[0]?.settle()
  const [, peer = assert.fail()] = broker.peers
  peer.send(publish(7, 'old', true), publish(8, 'new'))
  await until(() => deliveries.length === 3, 'the redelivery')
  deliveries[1]?.settle()
  deliveries[2]?.settle()
  await until(() => pubacks(peer.received).length >= 2, 'PUBACKs')
  assert.deepEqual(pubacks(peer.received), [7, 8])
})

test('a broker that refuses MQTT 5 is tried with 3.1.1', async (t) => {
  const broker = await fakeBroker(t, {
    onConnect: (peer) => {
      if (peer.connect.protocolVersion === 5) peer.send({ ...connack(), reasonCode: 132 } as Packet)
      else peer.send(connack())
    },
  })
  const { connected } = startSource(t, broker.url)
  await connected
  assert.deepEqual(
    broker.peers.map(({ connect }) => connect.protocolVersion),
    [5, 4],
  )
})

test('of several nodes, the next one is tried, each with both versions of MQTT', async (t) => {
  const old = await fakeBroker(t, {
    onConnect: (peer) => (peer.connect.protocolVersion === 5 ? peer.destroy() : peer.send(connack())),
  })
  const { source, connected } = startSource(t, `mqtt://127.0.0.1:1,${old.url}`)
  await connected
  assert.deepEqual(
    old.peers.map(({ connect }) => connect.protocolVersion),
    [5, 4],
  )
  old.peers[1]?.destroy()
  await until(() => source.status.reconnects === 1, 'back past the node that is down')
})

test('a refused password ends the start', async (t) => {
  const broker = await fakeBroker(t, {
    onConnect: (peer) => peer.send({ ...connack(), reasonCode: 134 } as Packet),
  })
  const { failures } = startSource(t, broker.url)
  await until(() => failures.length === 1, 'the failure')
  assert.match(failures[0]?.message ?? '', /MQTT_PASSWORD/)
  assert.equal(broker.peers.length, 1)
})

test('reading pauses at the high watermark and resumes at half of it', async (t) => {
  const broker = await fakeBroker(t)
  const { source, connected, deliveries } = startSource(t, broker.url, {
    highWatermark: { messages: 4, bytes: 100_000 },
  })
  await connected
  const [peer = assert.fail()] = broker.peers
  peer.send(publish(1), publish(2), publish(3), publish(4))
  await until(() => deliveries.length === 4, 'four deliveries')
  assert.equal(source.status.isPaused, true)
  deliveries[0]?.settle()
  assert.equal(source.status.isPaused, true)
  deliveries[1]?.settle()
  assert.equal(source.status.isPaused, false)
  peer.send(publish(5))
  await until(() => deliveries.length === 5, 'the fifth')
})

test('a resumed session with more messages than the high watermark connects, even while none can be settled', async (t) => {
  const broker = await fakeBroker(t, {
    onConnect: (peer) => peer.send(connack(true), publish(1), publish(2), publish(3)),
  })
  const { source, deliveries } = startSource(t, broker.url, {
    highWatermark: { messages: 3, bytes: 100_000 },
  })
  await until(
    () => source.status.isConnected || broker.peers.length > 1,
    'connected, or given up and retried',
  )
  assert.equal(broker.peers.length, 1, 'the connection was given up because SUBACK was not read')
  assert.equal(deliveries.length, 3)
})

test('a lost session is logged, since the messages queued in it are gone', async (t) => {
  const broker = await fakeBroker(t, { onConnect: (peer) => peer.send(connack(false)) })
  const { source, connected, records } = startSource(t, broker.url)
  await connected
  broker.peers[0]?.destroy()
  await until(() => source.status.sessionsLost === 1, 'the loss')
  assert.ok(records.some(({ level, msg }) => level === 'error' && msg.includes('lost the session')))
})

test('published QoS 1 messages respect the Receive Maximum of the broker and are sent again after a reconnect', async (t) => {
  const broker = await fakeBroker(t, { onConnect: (peer) => peer.send(connack(true, 1)) })
  const { source, connected } = startSource(t, broker.url)
  await connected
  source.publish('qs/v1/deadletter', 'a', 1)
  source.publish('qs/v1/deadletter', 'b', 1)
  const sent = (index: number) =>
    (broker.peers[index]?.received ?? []).flatMap((packet) => (packet.cmd === 'publish' ? [packet] : []))
  await until(() => sent(0).length === 1, 'the first')
  broker.peers[0]?.destroy()
  await until(() => sent(1).length === 1, 'the first again')
  assert.deepEqual(
    [sent(0)[0], sent(1)[0]].map((packet) => [packet?.payload.toString(), packet?.messageId, packet?.dup]),
    [
      ['a', sent(0)[0]?.messageId, false],
      ['a', sent(0)[0]?.messageId, true],
    ],
  )
  broker.peers[1]?.send({ cmd: 'puback', messageId: sent(1)[0]?.messageId ?? 0 })
  await until(() => sent(1).length === 2, 'the second')
  assert.equal(sent(1)[1]?.payload.toString(), 'b')
})

test('a drain takes no new messages and ends when the last one is settled', async (t) => {
  const broker = await fakeBroker(t)
  const { source, connected, deliveries } = startSource(t, broker.url)
  await connected
  const [peer = assert.fail()] = broker.peers
  peer.send(publish(1))
  await until(() => deliveries.length === 1, 'the delivery')
  let isDrained = false
  const drained = source.drain().then(() => {
    isDrained = true
  })
  peer.send(publish(2))
  assert.equal(isDrained, false)
  deliveries[0]?.settle()
  await drained
  await source.stop()
  assert.equal(deliveries.length, 1)
  assert.deepEqual(pubacks(peer.received), [1])
  assert.equal(peer.received.at(-1)?.cmd, 'disconnect')
})

test('a source stopped while it waits for the database makes no new connection', async (t) => {
  const broker = await fakeBroker(t)
  const edges = realEdges()
  let opened = 0
  const { source, connected, deliveries, records } = startSource(t, broker.url, {
    highWatermark: { messages: 1, bytes: 100_000 },
    openSocket: (options) => {
      opened++
      return edges.openSocket(options)
    },
  })
  await connected
  const [peer] = broker.peers
  peer?.send(publish(1))
  await until(() => deliveries.length === 1, 'the message is there')
  peer?.destroy()
  await until(() => records.some(({ msg }) => /^Not connecting/.test(msg)), 'it waits')
  await source.stop()
  assert.equal(opened, 1)
})
