import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { ControlConnection } from '../../../src/accounts/control-connection.ts'
import { addDevice } from '../../../src/accounts/devices.ts'
import { accountTopics } from '../../../src/accounts/operator-login.ts'
import { closed, connect, received, start, tcp } from './connecting.ts'
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

test('an error while a packet is processed ends the connection', async (t) => {
  const broker = await start(t, {
    chargePublish: () => {
      throw new Error('a fault of the broker')
    },
  })
  const client = await connect(t, tcp(broker))
  const end = closed(client)
  client.publish('t', 'x', { qos: 0 })
  await end
})
