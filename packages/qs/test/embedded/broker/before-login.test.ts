import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { generate, type IConnectPacket } from 'mqtt-packet'
import { connectionsAlarm } from '../../../src/alarms/broker-alarms.ts'
import { connect, credentials, start, tcp, webSocket } from './connecting.ts'

const MAX_BYTES = 16 * 1024 * 1024

function socketTo(t: TestContext, port: number): Socket {
  const socket = connectSocket(port, '127.0.0.1').resume()
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  return socket
}

async function upgrade(socket: Socket): Promise<void> {
  socket.write(
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n',
  )
  await once(socket, 'data')
}

/** A CONNECT with a will of the given size in bytes. */
function connectPacket(willBytes: number): Buffer {
  const packet: IConnectPacket = {
    ...{
      cmd: 'connect',
      clientId: 'large',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      keepalive: 0,
    },
    will: { topic: 'w', payload: Buffer.alloc(willBytes), qos: 0, retain: false },
  }
  return generate(packet)
}

test('a CONNECT above 64 KiB closes its connection at its first bytes; messages may be larger', async (t) => {
  const broker = await start(t, { maxPacketBytes: MAX_BYTES })
  const stranger = socketTo(t, broker.port)
  stranger.write(connectPacket(65_000).subarray(0, 20))
  const [answer] = await Promise.race([
    once(stranger, 'close'),
    until(() => false, 'the end', 100).catch(() => ['open']),
  ])
  assert.equal(answer, 'open', 'it waits for a CONNECT of 65,000 bytes')
  const tooLarge = socketTo(t, broker.port)
  tooLarge.write(connectPacket(66_000).subarray(0, 20))
  await once(tooLarge, 'close')
  const client = await connect(t, tcp(broker))
  await client.publishAsync('t', Buffer.alloc(1_000_000), { qos: 1 })
})

test('until CONNECT is complete, a WebSocket is read no further than a CONNECT can need', async (t) => {
  const broker = await start(t, { maxPacketBytes: MAX_BYTES })
  const socket = socketTo(t, broker.wsPort)
  await upgrade(socket)
  // One message of 15 MiB, with a mask of zeros.
  const header = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0xf0, 0, 0, 0, 0, 0, 0])
  socket.write(header)
  for (let i = 0; i < 15; i++) socket.write(Buffer.alloc(1024 * 1024))
  let before = -1
  await until(() => {
    const isStill = before === socket.writableLength
    before = socket.writableLength
    return isStill
  }, 'the network takes no more')
  assert.ok(socket.writableLength > 1024 * 1024, `${socket.writableLength} bytes are left with the stranger`)
  const client = await connect(t, webSocket(broker))
  await client.publishAsync('t', Buffer.alloc(1_000_000), { qos: 1 })
})

for (const way of ['TCP', 'WebSocket'] as const) {
  test(`a client with a wrong password is read little further before it is refused: ${way}`, async (t) => {
    const broker = await start(t, { maxPacketBytes: MAX_BYTES, credentials })
    const hello = (clientId: string) =>
      generate({
        ...{ cmd: 'connect', clientId, protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0 },
        ...{ username: 'stranger', password: Buffer.from('wrong') },
      })
    // After these, the refusal of the next one takes 3 s.
    const former = Array.from({ length: 5 }, () => socketTo(t, broker.port))
    for (const [n, socket] of former.entries()) socket.write(hello(String(n)))
    await Promise.all(former.slice(0, 2).map((socket) => once(socket, 'close')))
    const flood = socketTo(t, way === 'TCP' ? broker.port : broker.wsPort)
    if (way === 'WebSocket') await upgrade(flood)
    const first = hello('flood')
    flood.write(
      way === 'TCP' ? first : Buffer.concat([Buffer.from([0x82, 0x80 | first.length, 0, 0, 0, 0]), first]),
    )
    if (way === 'WebSocket') flood.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0xf0, 0, 0, 0, 0, 0, 0]))
    for (let n = 0; n < 32; n++) flood.write(Buffer.alloc(1024 * 1024, 0xc0))
    let before = -1
    await until(() => {
      const isStill = before === flood.writableLength
      before = flood.writableLength
      return isStill
    }, 'the network takes no more')
    assert.ok(flood.writableLength > MAX_BYTES, `${flood.writableLength} bytes are left with the stranger`)
  })
}

test('a connection without a complete CONNECT is closed in time', async (t) => {
  const broker = await start(t)
  const silent = socketTo(t, broker.port)
  const half = socketTo(t, broker.port)
  half.write(connectPacket(1_000).subarray(0, 500))
  const request = socketTo(t, broker.wsPort)
  request.write('GET / HTTP/1.1\r\nHo')
  const unsaid = socketTo(t, broker.wsPort)
  const startMs = performance.now()
  await Promise.all([silent, half, request, unsaid].map((socket) => once(socket, 'close')))
  assert.ok(performance.now() - startMs < 60_000)
})

for (const [setting, limits] of [
  ['MQTT_MAX_CONNECTIONS', { maxConnections: 3, maxPerAddress: 100 }],
  ['MQTT_MAX_CONNECTIONS_PER_ADDRESS', { maxConnections: 100, maxPerAddress: 3 }],
] as const) {
  test(`connections above ${setting} are refused, counted, logged once and named in an alarm`, async (t) => {
    const { log, records } = silentLog()
    const broker = await start(t, { limits, log })
    const silent = [socketTo(t, broker.port), socketTo(t, broker.wsPort)]
    await Promise.all(silent.map((socket) => once(socket, 'connect')))
    await connect(t, tcp(broker))
    for (const port of [broker.port, broker.wsPort, broker.port]) await once(socketTo(t, port), 'close')
    assert.equal(broker.refused.refused, 3)
    assert.equal(records.filter(({ msg }) => msg.includes(setting)).length, 1)
    const text = connectionsAlarm(() => broker.refused).check(performance.now())
    assert.match(text ?? '', new RegExp(`3 connections .* ${setting} is reached`))
    for (const socket of silent) socket.destroy()
    await until(
      () =>
        connect(t, tcp(broker)).then(
          () => true,
          () => false,
        ),
      'room is made by connections that end',
    )
  })
}
