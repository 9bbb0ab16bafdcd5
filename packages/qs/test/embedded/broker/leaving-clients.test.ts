import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { generate, type Packet } from 'mqtt-packet'
import { WebSocket } from 'ws'
import { DirectIntake } from '../../../src/intake/direct-intake.ts'
import { SystemClock } from '../../../src/pipeline/clock.ts'
import type { Delivery } from '../../../src/pipeline/delivery.ts'
import { connect, received, start, tcp } from './connecting.ts'

const EVENTS = 3_000
/** The share of one client. */
const SHARE = 1_000

/** A broker whose intake commits nothing until `settle`. */
async function slow(t: TestContext) {
  const waiting: Delivery[] = []
  const clock = new SystemClock()
  const highWatermark = { messages: 10_000, bytes: 16 * 1024 * 1024 }
  const intake = new DirectIntake({ highWatermark, clock, maxPayloadBytes: 100_000 })
  const broker = await start(t, { events: { intake, isEvents: (topic) => topic.startsWith('e/') } })
  const state = { taken: 0 }
  const onDelivery = (delivery: Delivery) => {
    state.taken++
    waiting.push(delivery)
  }
  intake.attach({ onDelivery, onFailure: (error) => assert.fail(error) }, broker)
  broker.open()
  const watcher = await connect(t, tcp(broker))
  const wills = received(watcher)
  await watcher.subscribeAsync(['status', 'marker'])
  const settle = () => {
    for (const delivery of waiting.splice(0)) delivery.settle()
  }
  return { broker, intake, state, settle, watcher, wills }
}

function burst(): Buffer {
  const packets: Packet[] = [
    {
      ...{
        cmd: 'connect',
        clientId: 'burst',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        keepalive: 0,
      },
      will: { topic: 'status', payload: Buffer.from('offline'), qos: 0, retain: false },
    },
    ...Array.from({ length: EVENTS }, (_, n) => ({
      ...{
        cmd: 'publish' as const,
        topic: 'e/d',
        payload: `{"n":${n}}`,
        qos: 0 as const,
        dup: false,
        retain: false,
      },
    })),
    { cmd: 'disconnect' },
  ]
  return Buffer.concat(packets.map((packet) => generate(packet)))
}

for (const way of ['TCP', 'WebSocket'] as const) {
  test(`a client that sends more than its share with QoS 0 and leaves loses nothing, and has no will: ${way}`, async (t) => {
    const { broker, intake, state, settle, watcher, wills } = await slow(t)
    if (way === 'TCP') {
      const socket = connectSocket(broker.port, '127.0.0.1').resume()
      t.after(() => socket.destroy())
      socket.end(burst())
      await once(socket, 'finish')
    } else {
      const socket = new WebSocket(`ws://127.0.0.1:${broker.wsPort}`, ['mqtt'])
      t.after(() => socket.terminate())
      await once(socket, 'open')
      socket.send(burst())
      socket.close()
    }
    await until(() => state.taken === SHARE, 'its share is used up')
    await until(() => {
      settle()
      return state.taken === EVENTS
    }, 'all of its events are taken')
    await watcher.publishAsync('marker', 'x', { qos: 1 })
    await until(() => wills.length > 0, 'the marker')
    assert.deepEqual([wills, intake.status.qos0Dropped], [['marker: x'], null])
  })
}

test('QoS 0 events that wait while the next connection of the client takes over are counted as dropped', async (t) => {
  const { broker, intake, state, watcher, wills } = await slow(t)
  const socket = connectSocket(broker.port, '127.0.0.1').resume()
  t.after(() => socket.destroy())
  socket.end(burst())
  await until(() => state.taken === SHARE, 'its share is used up')
  await connect(t, tcp(broker), { clientId: 'burst' })
  assert.equal(intake.status.qos0Dropped?.count, EVENTS - SHARE)
  await watcher.publishAsync('marker', 'x', { qos: 1 })
  await until(() => wills.length > 0, 'the marker')
  assert.deepEqual(wills, ['marker: x'])
})
