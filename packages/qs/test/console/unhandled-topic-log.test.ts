import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventTopic } from '@qs-telemetry/protocol'
import type { UnhandledTopics } from '@qs-telemetry/protocol/api'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { UnhandledTopicLog } from '../../src/console/unhandled-topic-log.ts'

test('a message on a topic that is not ingested is shown with its likely fix', async (t) => {
  const { client, api, publish } = await startTestConsole(t)
  await publish('kitchen', { schema: 1, event_id: 'e-1', device_id: 'kitchen', event_type: 'temp' })
  for (const [topic, payload] of [
    ['qs/v1/kitchen/event', '{"value":1}'],
    ['zigbee2mqtt/lamp', 'on'],
    ['qs/v1/kitchen/event', `{"value":2,"text":"${'ü'.repeat(500)}"}`],
  ] as const)
    await client.publishAsync(topic, payload, { qos: 1 })
  const { body } = await api<UnhandledTopics>('/api/unhandled-topics')
  assert.deepEqual(
    body.topics.map(({ topic, messages, isAllowed, likelyTopic }) => [
      topic,
      messages,
      isAllowed,
      likelyTopic,
    ]),
    [
      ['qs/v1/kitchen/event', 2, true, 'qs/v1/kitchen/events'],
      ['zigbee2mqtt/lamp', 1, true, null],
    ],
  )
  assert.match(body.topics[0]?.payload ?? '', /^{"value":2,"text":"ü+/)
})

test('the topic of another device is shown as refused', async () => {
  const book = new UnhandledTopicLog(new EventTopic('qs/v1/+/events'))
  const payload = Buffer.from('{}')
  book.came({ clientId: 'kitchen', topic: 'qs/v1/garage/events', isAllowed: false, payload }, 0)
  book.came({ clientId: 'kitchen', topic: 'qs/v1/kitchen/events', isAllowed: true, payload }, 0)
  book.came({ clientId: 'kitchen', topic: '$CONTROL/dynamic-security/v1', isAllowed: false, payload }, 0)
  const [refused, ...others] = book.list().topics
  assert.deepEqual(
    [refused?.topic, refused?.isAllowed, refused?.likelyTopic],
    ['qs/v1/garage/events', false, null],
  )
  assert.equal(others.length, 0)
})

test('a client that invents topics cannot fill memory', () => {
  const book = new UnhandledTopicLog(new EventTopic('qs/v1/+/events'))
  const payload = Buffer.alloc(256 * 1024, 'x')
  for (let n = 0; n < 100_000; n++)
    book.came({ clientId: 'c', topic: `${n}/${'t'.repeat(60_000)}`, isAllowed: true, payload }, n)
  const { topics, more } = book.list()
  assert.equal(topics.length, 100)
  assert.equal(more, 99_900)
  assert.equal(topics[0]?.topic.length, 200)
  assert.ok(JSON.stringify(topics).length < 100 * 600)
})
