import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  dynamicSecurityMissing,
  OPERATOR,
  startManagedMosquitto,
} from '@qs-telemetry/testing/dynamic-security.ts'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { ControlConnection } from '../../src/accounts/control-connection.ts'
import { BrokerInbox } from '../../src/letters/broker-inbox.ts'

/** An account without a role may connect, but not subscribe to anything. */
const READER = { username: 'reader', password: 'password of the reader' }
const MESSAGE = {
  deviceId: 'other',
  topic: 'qs/v1/other/events',
  payload: Buffer.from('{}'),
  receivedAt: null,
}
const WAIT = { eventIds: ['e-1'], timeoutMs: 500 }

function inboxAs(t: TestContext, url: string, { username, password }: typeof OPERATOR): BrokerInbox {
  const config = configOf({ MQTT_URL: url, MQTT_USERNAME: username, MQTT_PASSWORD: password })
  const inbox = new BrokerInbox(config)
  t.after(() => inbox.close())
  return inbox
}

/** The embedded broker has no such account: only those of devices, bound to their client ids, and the operator's. */
test("Mosquitto: the error for an account that may not read device acks names the operator's account", {
  skip: dynamicSecurityMissing,
}, async (t) => {
  const { url } = await startManagedMosquitto(t)
  const control = await ControlConnection.open({ url, ca: null, ...OPERATOR })
  t.after(() => control.close())
  await control.run({ command: 'createClient', ...READER })
  const refused = inboxAs(t, url, READER)
  for (let n = 0; n < 2; n++) {
    await assert.rejects(refused.publish(MESSAGE, WAIT), {
      code: 'BROKER_FORBIDS',
      message:
        /does not allow this user to read the device acks on qs\/v1\/other\/acks.*those of the operator/,
    })
  }
})

test('Mosquitto: a refused password is called that, with the setting that holds it', {
  skip: dynamicSecurityMissing,
}, async (t) => {
  const { url } = await startManagedMosquitto(t)
  await assert.rejects(inboxAs(t, url, { ...OPERATOR, password: 'wrong' }).publish(MESSAGE, WAIT), {
    code: 'BROKER_LOGIN_REFUSED',
    message: /^The broker at mqtt:.* refuses the user name or the password(?!.*running\?).*MQTT_PASSWORD/,
  })
})

test('an inbox reports an unreachable broker on every attempt', async (t) => {
  const inbox = inboxAs(t, 'mqtt://127.0.0.1:1', OPERATOR)
  for (let n = 0; n < 2; n++)
    await assert.rejects(inbox.publish(MESSAGE, WAIT), {
      code: 'BROKER_UNREACHABLE',
      message: /^No connection to the broker at mqtt:.*Is it running/,
    })
})
