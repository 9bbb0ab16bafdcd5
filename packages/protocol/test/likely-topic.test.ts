import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventTopic } from '../src/index.ts'

test('a topic that is close to one of events gives the intended one', () => {
  const events = new EventTopic('qs/v1/+/events')
  for (const [topic, meant] of [
    ['qs/v1/kitchen/event', 'qs/v1/kitchen/events'],
    ['qs/v2/kitchen/events', 'qs/v1/kitchen/events'],
    ['QS/V1/Kitchen/Events', 'qs/v1/Kitchen/events'],
    ['qs/v1/kitchenevents', 'qs/v1/kitchen/events'],
    ['qsv1/kitchen/events', 'qs/v1/kitchen/events'],
    ['/qs/v1/kitchen/events/', 'qs/v1/kitchen/events'],
    ['qs/kitchen/events', 'qs/v1/kitchen/events'],
    ['qs/v1/ein Gerät/evnets', 'qs/v1/ein Gerät/events'],
    ['qs/v1/events', null],
    ['homeassistant/sensor/kitchen/config', null],
    ['zigbee2mqtt/kitchen', null],
    ['a', null],
    ['', null],
    ['x'.repeat(65_535), null],
  ] as const)
    assert.equal(events.likelyFor(topic), meant, topic)
  assert.equal(new EventTopic('$share/g/+/up').likelyFor('kitchen/Up'), 'kitchen/up')
})
