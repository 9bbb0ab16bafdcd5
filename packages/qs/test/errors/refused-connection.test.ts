import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusedConnection } from '../../src/errors/refused-connection.ts'

test('a refused user, password or client id is permanent, and the message names the setting', () => {
  for (const [code, setting] of [
    [4, 'MQTT_PASSWORD'],
    [5, 'MQTT_PASSWORD'],
    [134, 'MQTT_PASSWORD'],
    [135, 'MQTT_PASSWORD'],
    [2, 'MQTT_CLIENT_ID'],
    [133, 'MQTT_CLIENT_ID'],
  ] as const) {
    const error = refusedConnection(code)
    assert.equal(error.entry.retryable, undefined, String(code))
    assert.ok(error.message.includes(setting), error.message)
    assert.doesNotMatch(error.message, /running\?/)
  }
})

test('a broker that is busy or starting is retried', () => {
  for (const code of [3, 128, 136, 137, 151, 159])
    assert.equal(refusedConnection(code).code, 'BROKER_BUSY', String(code))
  assert.equal(refusedConnection(3).entry.retryable, true)
})

test('a broker without MQTT 5 is tried with the older version', () => {
  for (const code of [1, 132]) assert.equal(refusedConnection(code).code, 'BROKER_ENDED_LOGIN')
  assert.equal(refusedConnection(1).entry.retryable, true)
})
