import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { connack, fakeBroker, type Peer, publish } from './fake-broker.ts'
import { pubacks, startSource } from './start-source.ts'

/** QoS 3, packet identifier 5. */
const MALFORMED = [0x36, 5, 0, 1, 0x61, 0, 5]
const MALFORMED_AGAIN = [0x3e, ...MALFORMED.slice(1)]

test('an unreadable PUBLISH ends one connection, and is delivered with its bytes on the next', async (t) => {
  const sendIt = (peer: Peer, bytes: readonly number[]) => {
    peer.send(connack(true))
    peer.sendBytes(bytes)
    peer.send(publish(6, 'behind it'))
  }
  const broker = await fakeBroker(t, {
    onConnect: (peer) => sendIt(peer, broker.peers.length === 1 ? MALFORMED : MALFORMED_AGAIN),
  })
  const { source, deliveries } = startSource(t, broker.url)
  await until(() => deliveries.length === 2, 'both')
  assert.equal(broker.peers.length, 2)
  const [kept = assert.fail()] = deliveries
  assert.deepEqual([...kept.payload], MALFORMED)
  assert.match(kept.fault ?? '', /QoS 3/)
  assert.equal(source.status.quarantined?.topic, 'a')
  for (const delivery of deliveries) delivery.settle()
  const [, peer = assert.fail()] = broker.peers
  await until(() => pubacks(peer.received).length === 2, 'both are answered')
  peer.destroy()
  await until(() => deliveries.length === 3, 'the next connection')
  assert.equal(deliveries[2]?.payload.toString(), 'behind it', 'a message that was kept is not kept again')
  await until(() => pubacks(broker.peers[2]?.received).length === 1, 'its answer')
})

test('a message for which the handler throws is kept the second time', async (t) => {
  const broker = await fakeBroker(t, {
    onConnect: (peer) => peer.send(connack(true), publish(5, 'bad', true), publish(6, 'good')),
  })
  const taken: (string | null | undefined)[] = []
  const { source } = startSource(t, broker.url, {
    onDelivery: ({ payload, fault }) => {
      if (payload.toString() === 'bad' && !fault) throw new Error('no way')
      taken.push(fault ?? payload.toString())
    },
  })
  await until(() => taken.length === 2, 'both')
  assert.deepEqual(taken, ['the handler failed: no way', 'good'])
  assert.equal(broker.peers.length, 2)
  assert.equal(source.status.unsettledMessages, 2)
})

test('a message whose answer ends the connection twice in a row is answered without a device ack', async (t) => {
  const broker = await fakeBroker(t, {
    onConnect: (peer) => {
      const isFirst = broker.peers.length === 1
      peer.send(connack(!isFirst), publish(5, 'a', !isFirst), publish(6, 'b', !isFirst))
    },
    onPacket: (peer, packet) => {
      if (packet.cmd === 'subscribe')
        peer.send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: [1] })
      if (packet.cmd === 'puback' && packet.messageId === 5 && broker.peers.length < 3) peer.destroy()
    },
  })
  const treated: string[] = []
  startSource(t, broker.url, {
    onDelivery: (delivery) => {
      treated.push(`${delivery.payload} ${delivery.withoutReply}`)
      queueMicrotask(() => delivery.settle())
    },
  })
  await until(() => pubacks(broker.peers[2]?.received).length === 2, 'the third connection')
  assert.deepEqual(treated, ['a false', 'b false', 'a false', 'b false', 'a true', 'b false'])
})

test('a message that is redelivered because it was never settled is not quarantined', async (t) => {
  const broker = await fakeBroker(t, {
    onConnect: (peer) => peer.send(connack(true), publish(5, 'a', true)),
  })
  const treated: (boolean | undefined)[] = []
  startSource(t, broker.url, {
    onDelivery: ({ withoutReply }) => {
      treated.push(withoutReply)
      if (treated.length < 4) queueMicrotask(() => broker.peers.at(-1)?.destroy())
    },
  })
  await until(() => treated.length === 4, 'four deliveries')
  assert.deepEqual(treated, [false, false, false, false])
})
