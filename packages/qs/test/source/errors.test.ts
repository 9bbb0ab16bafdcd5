import assert from 'node:assert/strict'
import { test } from 'node:test'
import { disconnectedByBroker, refusedConnection, refusedSubscription } from '../../src/source/errors.ts'

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
    assert.equal(error.retryable, false, String(code))
    assert.ok(error.message.includes(setting), error.message)
  }
})

test('a broker that is busy or starting is retried', () => {
  for (const code of [3, 128, 136, 137, 151, 159])
    assert.equal(refusedConnection(code).retryable, true, String(code))
})

test('a broker without MQTT 5 is tried with the older version', () => {
  for (const code of [1, 132]) {
    assert.equal(refusedConnection(code).tryOtherVersion, true)
    assert.equal(refusedConnection(code).retryable, true)
  }
  assert.equal(refusedConnection(136).tryOtherVersion, false)
})

test('a refused subscription names the filter', () => {
  const error = refusedSubscription('qs/v1/+/events')
  assert.equal(error.retryable, false)
  assert.match(error.message, /qs\/v1\/\+\/events.*MQTT_EVENTS_TOPIC/)
})

test('a session taken over by another client is permanent, all other endings are retryable', () => {
  assert.equal(disconnectedByBroker(142).retryable, false)
  assert.match(disconnectedByBroker(142).message, /MQTT_CLIENT_ID/)
  for (const code of [0, 139, 141, 149])
    assert.equal(disconnectedByBroker(code).retryable, true, String(code))
})
