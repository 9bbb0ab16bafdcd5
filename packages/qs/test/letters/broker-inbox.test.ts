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

/** An account without a role may connect, and subscribe to nothing. */
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

/** The embedded broker has no such account: a device's needs its client id, and the other is the operator's. */
test('Mosquitto: an account that may not read device acks is told to use that of the operator', {
  skip: dynamicSecurityMissing,
}, async (t) => {
  const { url } = await startManagedMosquitto(t)
  const control = await ControlConnection.open({ url, ca: null, ...OPERATOR })
  t.after(() => control.close())
  await control.run({ command: 'createClient', ...READER })
  const refused = inboxAs(t, url, READER)
  for (let n = 0; n < 2; n++) {
    await assert.rejects(refused.publish(MESSAGE, WAIT), {
      name: 'InboxError',
      message: /does not let this user read qs\/v1\/other\/acks.*account of the operator/,
    })
  }
})

test('an inbox says that there is no broker, as often as it is asked', async (t) => {
  const inbox = inboxAs(t, 'mqtt://127.0.0.1:1', OPERATOR)
  for (let n = 0; n < 2; n++)
    await assert.rejects(inbox.publish(MESSAGE, WAIT), {
      name: 'InboxError',
      message: /^No connection to mqtt:/,
    })
})
