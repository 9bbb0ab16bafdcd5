import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connectBytes, packet, text } from '@qs-telemetry/testing/parity/bytes.ts'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { ControlConnection } from '../../../src/accounts/control-connection.ts'
import { addDevice } from '../../../src/accounts/devices.ts'
import { accountTopics } from '../../../src/accounts/operator-login.ts'
import { closed, connect, received, start, tcp, webSocket } from './connecting.ts'
import { connectedRaw, publishPacket } from './raw-client.ts'

const OPERATOR = { username: 'operator', password: 'secret of the operator' }
const board = { username: 'board', password: 'password of board' }

/** A broker with one device, which may publish its events and nothing else. */
async function withDevice(t: TestContext) {
  const broker = await start(t, { credentials: OPERATOR })
  const connection = await ControlConnection.open({ url: tcp(broker), ca: null, ...OPERATOR })
  t.after(() => connection.close())
  await addDevice(connection, {
    ...{ deviceId: 'board', password: board.password },
    topics: accountTopics(configOf()),
  })
  return broker
}

test('a 3.1.1 message that is not allowed gets its PUBACK', async (t) => {
  const broker = await withDevice(t)
  const device = await connect(t, tcp(broker), { ...board, clientId: 'board' })
  await device.publishAsync('other', 'x', { qos: 1 })
  await device.publishAsync('other', 'x', { qos: 2 })
  assert.equal(device.connected, true)
})

test('after a PUBREC with an error the same identifier is a new message', async (t) => {
  const broker = await withDevice(t)
  const watcher = await connect(t, tcp(broker), OPERATOR)
  const messages = received(watcher)
  await watcher.subscribeAsync('#')
  const login = { username: board.username, password: Buffer.from(board.password) }
  const device = await connectedRaw(t, broker, { ...login, clientId: 'board' })
  device.send({ ...publishPacket(9, 'denied', 2), topic: 'other' } as never)
  device.send({ ...publishPacket(9, 'taken', 2), topic: 'qs/v1/board/events' } as never)
  const answers = await device.wait('pubrec', 2)
  assert.deepEqual(
    answers.map(({ reasonCode }) => reasonCode ?? 0),
    [0x87, 0],
  )
  await watcher.publishAsync('marker', 'x', { qos: 1 })
  assert.deepEqual(messages.slice(0, 1), ['qs/v1/board/events: taken'])
})

test('an error while a packet is processed ends the connection and is logged as one of the broker', async (t) => {
  const { log, records } = silentLog()
  const broker = await start(t, {
    log,
    charge: () => {
      throw new Error('a fault of the broker')
    },
  })
  const client = await connect(t, tcp(broker))
  const end = closed(client)
  client.publish('t', 'x', { qos: 0 })
  await end
  assert.deepEqual(
    records.map(({ level, msg }) => ({ level, msg })),
    [{ level: 'error', msg: 'an error in the broker ended the connection of a client' }],
  )
})

test('a CONNECT with an unknown level of MQTT gets return code 1 and no session, whatever the level', async (t) => {
  const broker = await start(t)
  const levels = Array.from({ length: 256 }, (_, level) => level).filter(
    (level) => level !== 4 && level !== 5,
  )
  const ends = await Promise.all(
    levels.map(async (level) => {
      const socket = connectSocket(broker.port, '127.0.0.1')
      const chunks: Buffer[] = []
      socket.on('data', (chunk) => chunks.push(chunk))
      // What would be answered if it went on.
      socket.write(Buffer.concat([connectBytes(4, { level, payload: [text('c')] }), packet(0xc0)]))
      await once(socket, 'close')
      return Buffer.concat(chunks).toString('hex')
    }),
  )
  assert.deepEqual(new Set(ends), new Set(['20020001']))
})

test('over TCP and WebSocket nothing is lost, doubled or out of order, whatever the sizes of messages', async (t) => {
  const broker = await start(t, { maxPacketBytes: 300_000 })
  const digest = (payload: Buffer) => createHash('sha256').update(payload).digest('hex')
  // Around each size of the length field and of the buffers in between, with different contents.
  const sizes = [1, 120, 128, 16_380, 16_400, 65_530, 65_536, 70_000, 262_144]
  const payloads = Array.from({ length: 100 }, (_, n) =>
    Buffer.alloc((sizes[n % sizes.length] as number) + n, `${n} `),
  )
  for (const url of [tcp(broker), webSocket(broker)]) {
    const subscriber = await connect(t, url)
    const digests: string[] = []
    subscriber.on('message', (_topic, payload) => digests.push(digest(payload)))
    await subscriber.subscribeAsync('t', { qos: 1 })
    const publisher = await connect(t, url)
    await Promise.all(payloads.map((payload) => publisher.publishAsync('t', payload, { qos: 1 })))
    await until(() => digests.length >= payloads.length, 'all messages')
    assert.deepEqual(digests, payloads.map(digest))
    await subscriber.endAsync()
  }
})

test('a conversation that arrives byte by byte is the same as one that arrives at once', async (t) => {
  const broker = await start(t)
  const conversation = Buffer.concat([
    connectBytes(4, { payload: [text('c')] }),
    packet(0x82, 0, 1, text('t'), 1),
    packet(0x32, text('t'), 0, 2, Buffer.alloc(200, 'x')),
    packet(0xc0),
  ])
  const answers = async (pieceBytes: number) => {
    const socket = connectSocket({ port: broker.port, host: '127.0.0.1', noDelay: true })
    t.after(() => socket.destroy())
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    for (let at = 0; at < conversation.length; at += pieceBytes) {
      socket.write(conversation.subarray(at, at + pieceBytes))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => Buffer.concat(chunks).subarray(-2).toString('hex') === 'd000', 'PINGRESP')
    return Buffer.concat(chunks).toString('hex')
  }
  const atOnce = await answers(conversation.length)
  assert.equal(await answers(1), atOnce)
})
