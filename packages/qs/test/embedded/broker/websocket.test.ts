import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { generate, type Packet, parser } from 'mqtt-packet'
import { WebSocket } from 'ws'
import { start } from './connecting.ts'
import { connectPacket } from './raw-client.ts'

async function open(t: TestContext, protocols: readonly string[] = ['mqtt']) {
  const broker = await start(t)
  const socket = new WebSocket(`ws://127.0.0.1:${broker.wsPort}`, [...protocols])
  t.after(() => socket.terminate())
  const got: Packet[] = []
  const reader = parser({ protocolVersion: 5 })
  reader.on('packet', (packet) => got.push(packet))
  socket.on('message', (data: Buffer) => reader.parse(data))
  await once(socket, 'open')
  return { socket, got }
}

const hello = generate(connectPacket({ clientId: 'c' }), { protocolVersion: 5 })
const ping = Buffer.of(0xc0, 0)

test('a text frame ends the connection', async (t) => {
  const { socket, got } = await open(t)
  socket.send(hello)
  await until(() => got.length === 1, 'CONNACK')
  const closed = once(socket, 'close')
  socket.send(ping.toString('latin1'))
  await closed
})

test('packets need not begin or end with a frame', async (t) => {
  const { socket, got } = await open(t)
  const bytes = Buffer.concat([hello, ping, ping, ping])
  socket.send(bytes.subarray(0, 5))
  socket.send(bytes.subarray(5, bytes.length - 3))
  socket.send(bytes.subarray(bytes.length - 3))
  await until(() => got.length === 4, 'CONNACK and three PINGRESP')
  assert.deepEqual(
    got.map(({ cmd }) => cmd),
    ['connack', 'pingresp', 'pingresp', 'pingresp'],
  )
})

test('a pause holds the rest of a large message', async (t) => {
  let charges = 0
  const broker = await start(t, {
    maxPacketBytes: 1024 * 1024,
    charge: () => {
      charges++
      return 1_000
    },
  })
  const socket = new WebSocket(`ws://127.0.0.1:${broker.wsPort}`, ['mqtt'])
  t.after(() => socket.terminate())
  await once(socket, 'open')
  socket.send(hello)
  await once(socket, 'message')
  socket.send(Buffer.alloc(512 * 1024, ping))
  await until(() => charges > 0, 'the first packets')
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(charges <= 64 * 1024, `${charges} PINGREQs are read`)
})

test('the subprotocol is mqtt', async (t) => {
  const { socket } = await open(t, ['other', 'mqtt'])
  assert.equal(socket.protocol, 'mqtt')
})
