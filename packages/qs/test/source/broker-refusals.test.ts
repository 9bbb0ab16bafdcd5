import assert from 'node:assert/strict'
import { test } from 'node:test'
import { disconnectedByBroker, refusedSubscription } from '../../src/source/broker-refusals.ts'

const FILTER = 'qs/v1/+/events'

test('a refused subscription names the filter, its setting and the reason of the broker', () => {
  assert.match(refusedSubscription(FILTER, 0x80, 4).message, /qs\/v1\/\+\/events.*MQTT_EVENTS_TOPIC/)
  const { message } = refusedSubscription(FILTER, 0x9e, 5)
  assert.match(message, /qs\/v1\/\+\/events.*MQTT_EVENTS_TOPIC: Shared Subscriptions not supported \(0x9e\)/)
})

test('refusals of a subscription are permanent, except those that may pass', () => {
  const isRetryable = (code: number, version: 4 | 5) =>
    refusedSubscription(FILTER, code, version).entry.retryable === true
  for (const code of [0x87, 0x8f, 0x9e, 0xa1, 0xa2]) assert.equal(isRetryable(code, 5), false, String(code))
  for (const code of [0x80, 0x83, 0x91, 0x97]) assert.equal(isRetryable(code, 5), true, String(code))
  assert.equal(isRetryable(0x80, 4), false)
})

test('a session taken over by another client is permanent, all other endings are retryable', () => {
  assert.equal(disconnectedByBroker(142).entry.retryable, undefined)
  assert.match(disconnectedByBroker(142).message, /MQTT_CLIENT_ID/)
  for (const code of [0, 139, 141, 149])
    assert.equal(disconnectedByBroker(code).entry.retryable, true, String(code))
  assert.match(disconnectedByBroker(0x93, 'ten').message, /Receive Maximum exceeded \(0x93\): ten/)
})
