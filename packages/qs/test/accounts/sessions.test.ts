import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  dynamicSecurityMissing,
  OPERATOR,
  startManagedMosquitto,
} from '@qs-telemetry/testing/dynamic-security.ts'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import mqtt from 'mqtt'
import { ControlConnection } from '../../src/accounts/control-connection.ts'
import { addDevice, rotateDevice } from '../../src/accounts/devices.ts'
import { accountTopics } from '../../src/accounts/operator-login.ts'
import { provision } from '../../src/accounts/provision.ts'

const topics = accountTopics(configOf())
const ingester = { username: 'ingester', password: 'password of the ingester' }
const board = { username: 'board-1', password: 'password of board-1', clientId: 'board-1' }

for (const protocolVersion of [4, 5] as const) {
  test(`account changes keep durable sessions, with shared subscriptions too (MQTT ${protocolVersion})`, {
    skip: dynamicSecurityMissing,
  }, async (t) => {
    const broker = await startManagedMosquitto(t)
    const { url } = broker
    const operator = { url, ca: null, ...OPERATOR }
    const provisionAgain = () => provision({ operator, topics, ingester, onDone: () => {} })
    await provisionAgain()
    const connection = await ControlConnection.open(operator)
    await addDevice(connection, { deviceId: board.username, password: board.password, topics })

    const durable = {
      protocolVersion,
      clean: false,
      ...(protocolVersion === 5 && { properties: { sessionExpiryInterval: 3_600 } }),
    } as const
    const one = await connect(t, url, { ...durable, ...ingester, clientId: 'one' })
    await one.client.subscribeAsync('$share/g/qs/v1/+/events', { qos: 1 })
    await one.client.endAsync()
    const device = await connect(t, url, { ...durable, ...board })
    await device.client.subscribeAsync('qs/v1/board-1/acks', { qos: 1 })
    await device.client.publishAsync('qs/v1/board-1/events', 'event while away', { qos: 1 })

    await rotateDevice(connection, board.username, 'new password of board-1')
    await until(() => !device.client.connected, 'the device is disconnected')
    await connection.close()
    await provisionAgain()
    await broker.restart()

    const back = await connect(t, url, { ...durable, ...ingester, clientId: 'one' })
    await until(() => back.heard.includes('event while away'), 'the event is in the shared session')
    await back.client.publishAsync('qs/v1/board-1/acks', 'ack while away', { qos: 1 })
    const again = await connect(t, url, { ...durable, ...board, password: 'new password of board-1' })
    await until(
      () => again.heard.includes('ack while away'),
      'the device ack is in the session of the device',
    )
    await assert.rejects(connect(t, url, { ...durable, ...board }), /not authorized/i)
  })
}

async function connect(t: TestContext, url: string, options: mqtt.IClientOptions) {
  const client = mqtt.connect(url, { reconnectPeriod: 0, ...options })
  t.after(() => client.endAsync(true))
  const heard: string[] = []
  client.on('message', (_topic, payload) => heard.push(payload.toString()))
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
  })
  client.on('error', () => {})
  return { client, heard }
}
