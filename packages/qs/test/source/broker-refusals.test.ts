import assert from 'node:assert/strict'
import { test } from 'node:test'
import { disconnectedByBroker, refusedSubscription } from '../../src/source/broker-refusals.ts'

test('a refused subscription names the filter and its setting', () => {
  const error = refusedSubscription('qs/v1/+/events')
  assert.equal(error.entry.retryable, undefined)
  assert.match(error.message, /qs\/v1\/\+\/events.*MQTT_EVENTS_TOPIC/)
})

test('a session taken over by another client is permanent, all other endings are retryable', () => {
  assert.equal(disconnectedByBroker(142).entry.retryable, undefined)
  assert.match(disconnectedByBroker(142).message, /MQTT_CLIENT_ID/)
  for (const code of [0, 139, 141, 149])
    assert.equal(disconnectedByBroker(code).entry.retryable, true, String(code))
})
