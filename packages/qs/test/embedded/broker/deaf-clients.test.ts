import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { generate, type IConnectPacket, type ISubscribePacket } from 'mqtt-packet'
import { WebSocket } from 'ws'
import { deafClientAlarm } from '../../../src/alarms/broker-alarms.ts'
import type { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts'
import { connect, start, tcp, webSocket } from './connecting.ts'

/** Connects, subscribes and never reads. */
type GoDeaf = (t: TestContext, broker: EmbeddedBroker, packets: Buffer) => void

const overTcp: GoDeaf = (t, broker, packets) => {
  const socket = connectSocket(broker.port, '127.0.0.1').pause()
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  socket.write(packets)
}

const overWebSocket: GoDeaf = (t, broker, packets) => {
  const socket = new WebSocket(webSocket(broker), ['mqtt'])
  socket.on('error', () => {})
  t.after(() => socket.terminate())
  socket.once('open', () => {
    socket.send(packets)
    socket.pause()
  })
}

const MAX_BYTES = 1_000_000

function hello(protocolVersion: 4 | 5, qos: 0 | 1): Buffer {
  const connecting: IConnectPacket = {
    ...{ cmd: 'connect', clientId: 'deaf', protocolId: 'MQTT', protocolVersion, keepalive: 0 },
    clean: qos === 0,
    ...(protocolVersion === 5 && { properties: { sessionExpiryInterval: 60 } }),
  }
  const subscribing: ISubscribePacket = {
    ...{ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos }] },
  }
  return Buffer.concat([connecting, subscribing].map((packet) => generate(packet, { protocolVersion })))
}

/** In a second ten times what may wait for a client. A flood at full speed would take a CPU in each of these tests. */
const FLOOD = { everyMs: 10, bytes: 100_000 }

/** Publishes steadily. @returns a function that stops, and the slowest time from one client to another */
async function traffic(t: TestContext, broker: EmbeddedBroker): Promise<() => Promise<number>> {
  const [flood, publisher, subscriber] = [
    await connect(t, tcp(broker)),
    await connect(t, tcp(broker)),
    await connect(t, tcp(broker)),
  ]
  await subscriber.subscribeAsync('good', { qos: 1 })
  let longestMs = 0
  const measure = async () => {
    const sentMs = performance.now()
    const arrived = new Promise((resolve) => subscriber.once('message', resolve))
    await publisher.publishAsync('good', 'x', { qos: 1 })
    await arrived
    longestMs = Math.max(longestMs, performance.now() - sentMs)
  }
  const loops = [
    startLoop(() => flood.publishAsync('flood', Buffer.alloc(FLOOD.bytes), { qos: 1 })),
    startLoop(measure),
  ]
  return async () => {
    await Promise.all(loops.map((stop) => stop()))
    return longestMs
  }
}

/** Begins the step regularly, unless the one before is still under way. @returns a function that stops after that one */
function startLoop(step: () => Promise<unknown>): () => Promise<void> {
  let current: Promise<unknown> | null = null
  const timer = setInterval(() => {
    current ??= step().finally(() => {
      current = null
    })
  }, FLOOD.everyMs)
  return async () => {
    clearInterval(timer)
    await current
  }
}

/** The deaf client is disconnected and named, and no other client has waited. */
async function endsIt(broker: EmbeddedBroker, stop: () => Promise<number>): Promise<number> {
  await until(() => broker.deaf !== null, 'the client is disconnected')
  const longestMs = await stop()
  // It is milliseconds; one that waited for the deaf client would take its 5 s.
  assert.ok(longestMs < 4_000, `a message took ${longestMs} ms`)
  const text = deafClientAlarm(() => broker.deaf).check(performance.now())
  assert.match(text ?? '', /did not read/)
  return longestMs
}

test('a stopped mosquitto_sub -t "#" delays no other client, is disconnected and named', {
  skip: mosquittoMissing,
}, async (t) => {
  const { log, records } = silentLog()
  const broker = await start(t, { log, maxPacketBytes: MAX_BYTES })
  const child = spawn('mosquitto_sub', ['-p', String(broker.port), '-i', 'stopped', '-t', '#'])
  t.after(() => child.kill('SIGKILL'))
  const publisher = await connect(t, tcp(broker))
  const isThere = once(child.stdout, 'data')
  const timer = setInterval(() => publisher.publish('hello', 'x'), 50)
  await isThere
  clearInterval(timer)
  child.kill('SIGSTOP')
  const longestMs = await endsIt(broker, await traffic(t, broker))
  t.diagnostic(`the slowest message took ${longestMs.toFixed(0)} ms`)
  assert.equal(broker.deaf?.client, 'stopped')
  assert.ok(broker.dropped > 0)
  assert.ok(records.some(({ msg }) => msg.includes('stopped did not read')))
})

for (const [transport, goDeaf] of [
  ['TCP', overTcp],
  ['WebSocket', overWebSocket],
] as const) {
  for (const version of [4, 5] as const) {
    for (const qos of [0, 1] as const) {
      test(`over ${transport} an MQTT ${version} client that never reads QoS ${qos} delays no other client`, async (t) => {
        const broker = await start(t, { maxPacketBytes: MAX_BYTES })
        goDeaf(t, broker, hello(version, qos))
        const longestMs = await endsIt(broker, await traffic(t, broker))
        t.diagnostic(`the slowest message took ${longestMs.toFixed(0)} ms`)
        if (qos === 1) assert.ok(broker.waiting > 0, 'what it missed waits in its session')
      })
    }
  }
}

test('many retained messages wait in the store while the new subscriber does not read', async (t) => {
  const broker = await start(t, { maxPacketBytes: MAX_BYTES })
  const publisher = await connect(t, tcp(broker))
  for (let i = 0; i < 300; i++)
    await publisher.publishAsync(`r/${i}`, Buffer.alloc(50_000), { retain: true, qos: 1 })
  overTcp(t, broker, hello(4, 0))
  await until(() => broker.deaf !== null, 'the client is disconnected')
  assert.equal(broker.dropped, 0, 'no retained message is dropped')
  const reader = await connect(t, tcp(broker))
  let got = 0
  reader.on('message', () => got++)
  await reader.subscribeAsync('r/#')
  await until(() => got === 300, 'one that reads gets all of them')
})

test('a flood of messages with and without subscribers in one read does not overflow the stack', async (t) => {
  const broker = await start(t)
  const subscriber = await connect(t, tcp(broker))
  let got = 0
  subscriber.on('message', () => got++)
  await subscriber.subscribeAsync('heard')
  const publish = (topic: string) =>
    generate({ cmd: 'publish', topic, payload: 'x', qos: 0, dup: false, retain: false })
  const socket = connectSocket(broker.port, '127.0.0.1').resume()
  t.after(() => socket.destroy())
  socket.write(generate({ cmd: 'connect', clientId: 'c', protocolVersion: 4, clean: true, keepalive: 0 }))
  await once(socket, 'data')
  socket.write(
    Buffer.concat([
      ...Array.from({ length: 500 }, () => publish('heard')),
      ...Array.from({ length: 50_000 }, () => publish('x')),
    ]),
  )
  await until(() => got === 500, 'all arrive')
})
