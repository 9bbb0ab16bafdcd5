import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import type { Packet } from 'mqtt-packet'
import { realEdges } from '../../src/app/edges.ts'
import { connack, fakeBroker, type Manners, publish, suback } from './fake-broker.ts'
import { startSource } from './start-source.ts'

const refusal = (messageId: number, code: number): Packet => ({ cmd: 'suback', messageId, granted: [code] })

/** Refuses every subscription, in a session that is resumed. */
const refusing = (code: number): Partial<Manners> => ({
  onConnect: (peer) => peer.send(connack(true)),
  onPacket: (peer, packet) => {
    if (packet.cmd === 'subscribe') peer.send(refusal(packet.messageId ?? 0, code), publish(7))
  },
})

test('a resumed session lives on with its subscription while the broker refuses SUBSCRIBE for now, and asks again', async (t) => {
  const broker = await fakeBroker(t, refusing(0x91))
  const { clock } = realEdges()
  let again = () => {}
  const { deliveries, failures, records } = startSource(t, broker.url, {
    clock: {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      every: (ms, act) => clock.every(ms, act),
      after: (ms, act) => {
        if (ms < 60_000) return clock.after(ms, act)
        again = act
        return () => {}
      },
    },
  })
  await until(() => deliveries.length === 1, 'a delivery after the refusal')
  again()
  await until(() => deliveries.length === 2, 'the second refusal')
  const ids = broker.peers.flatMap(({ received }) =>
    received.filter(({ cmd }) => cmd === 'subscribe').map(({ messageId }) => messageId),
  )
  assert.equal(broker.peers.length, 1)
  assert.equal(new Set(ids).size, 2)
  assert.ok(!ids.includes(1))
  assert.deepEqual(failures, [])
  assert.match(JSON.stringify(records), /Packet Identifier in use \(0x91\)/)
})

test('a permanent refusal ends the ingester, in a resumed session too', async (t) => {
  const broker = await fakeBroker(t, refusing(0x87))
  const { failures } = startSource(t, broker.url)
  await until(() => failures.length === 1, 'the failure')
  assert.equal(failures[0]?.code, 'BROKER_FORBIDS')
  assert.match(failures[0]?.message ?? '', /Not authorized \(0x87\)/)
})

test('a refusal that may pass is tried again with a new connection where there is no session', async (t) => {
  let refused = 0
  const broker = await fakeBroker(t, {
    onPacket: (peer, packet) => {
      if (packet.cmd !== 'subscribe') return
      const id = packet.messageId ?? 0
      peer.send(refused++ === 0 ? refusal(id, 0x97) : suback(id))
    },
  })
  const { connected, failures } = startSource(t, broker.url)
  await connected
  assert.equal(broker.peers.length, 2)
  assert.deepEqual(failures, [])
})

test('a new process logs a lost session if a former one with its client id has stored events', async (t) => {
  for (const [stored, sessionPresent, lost] of [
    [new Date('2026-11-29T10:00:00Z'), false, 1],
    [new Date('2026-11-29T10:00:00Z'), true, 0],
    [null, false, 0],
  ] as const) {
    const broker = await fakeBroker(t, { onConnect: (peer) => peer.send(connack(sessionPresent)) })
    let asked = 0
    const { connected, source, records } = startSource(t, broker.url, {
      lastStored: async () => {
        asked++
        return stored
      },
    })
    await connected
    await new Promise(setImmediate)
    assert.equal(asked, sessionPresent ? 0 : 1)
    assert.equal(source.status.sessionsLost, lost)
    const errors = records.filter(({ level }) => level === 'error')
    assert.deepEqual(
      errors.map(({ lastStored }) => lastStored),
      lost === 1 ? ['2026-11-29T10:00:00.000Z'] : [],
    )
  }
})
