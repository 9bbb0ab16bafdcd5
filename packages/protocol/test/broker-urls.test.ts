import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerPlace, brokerUrls } from '../src/index.ts'

test('nodes without a scheme have that of the first', () => {
  assert.deepEqual(brokerUrls('mqtts://a, b:8884 ,mqtt://[::1]:1884'), [
    'mqtts://a',
    'mqtts://b:8884',
    'mqtt://[::1]:1884',
  ])
})

test('a URL without a port has that of its scheme', () => {
  assert.deepEqual(brokerPlace('mqtts://a'), { protocol: 'mqtts', host: 'a', port: 8883 })
  assert.deepEqual(brokerPlace('mqtt://[::1]'), { protocol: 'mqtt', host: '::1', port: 1883 })
})
