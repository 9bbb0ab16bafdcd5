import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ackTopic, DEFAULT_TOPICS, EventTopic, isDeviceId, topicMatches } from '../src/topics.ts'

test('the default topics are those of the wire contract', () => {
  assert.deepEqual(DEFAULT_TOPICS, {
    events: 'qs/v1/+/events',
    acks: 'qs/v1/{device_id}/acks',
    deadLetter: 'qs/v1/deadletter',
  })
})

test('the device id is where the filter has its +', () => {
  const topic = new EventTopic('qs/v1/+/events')
  assert.equal(topic.deviceIdOf('qs/v1/esp32-a1/events'), 'esp32-a1')
  assert.equal(topic.topicOf('esp32-a1'), 'qs/v1/esp32-a1/events')
})

test('a shared subscription is subscribed with its prefix and read without it', () => {
  const topic = new EventTopic('$share/ingesters/qs/v1/+/events')
  assert.equal(topic.filter, '$share/ingesters/qs/v1/+/events')
  assert.equal(topic.deviceIdOf('qs/v1/a/events'), 'a')
  assert.equal(topic.deviceIdOf('$share/ingesters/qs/v1/a/events'), null)
  assert.equal(topic.topicOf('a'), 'qs/v1/a/events')
})

test('a + at either end works too', () => {
  assert.equal(new EventTopic('+').deviceIdOf('a'), 'a')
  assert.equal(new EventTopic('+/events').deviceIdOf('a/events'), 'a')
  assert.equal(new EventTopic('events/+').deviceIdOf('events/a'), 'a')
  assert.equal(new EventTopic('$share/g/+').deviceIdOf('a'), 'a')
})

test('a topic of another form has no device id', () => {
  const topic = new EventTopic('qs/v1/+/events')
  for (const other of [
    'qs/v1/events',
    'qs/v1//events',
    'qs/v1/a/b/events',
    'qs/v1/a/acks',
    'qs/v2/a/events',
    'xqs/v1/a/events',
    'qs/v1/a/events/',
    'qs/v1/a/eventsx',
    '',
  ]) {
    assert.equal(topic.deviceIdOf(other), null, other)
  }
})

test('prefix and suffix do not share characters of a short topic', () => {
  assert.equal(new EventTopic('a/+/a').deviceIdOf('a/a'), null)
  assert.equal(new EventTopic('ab/+/ab').deviceIdOf('ab/ab'), null)
})

test('a filter without exactly one + level is refused, and the message says what to write', () => {
  for (const filter of [
    '',
    'qs/v1/events',
    'qs/+/+/events',
    'qs/v1/a+/events',
    'qs/v1/+a/events',
    'qs/v1/++',
    'qs/+/#',
    '#',
  ]) {
    assert.throws(
      () => new EventTopic(filter),
      { name: 'RangeError', message: /exactly one \+ level.*qs\/v1\/\+\/events/ },
      filter,
    )
  }
})

test('a share name that is empty or a wildcard is refused, since no message would ever arrive', () => {
  for (const filter of ['$share/+/events', '$share//qs/v1/+/events']) {
    assert.throws(() => new EventTopic(filter), Error, filter)
  }
})

test('deviceIdOf reads back what topicOf makes', () => {
  const level = fc.string({ minLength: 1 }).filter((text) => isDeviceId(text) && !text.startsWith('$'))
  fc.assert(
    fc.property(fc.array(level), level, fc.array(level), (before, deviceId, after) => {
      const topic = new EventTopic([...before, '+', ...after].join('/'))
      assert.equal(topic.deviceIdOf(topic.topicOf(deviceId)), deviceId)
    }),
  )
})

test('the ack topic has the device id at every place of the template', () => {
  assert.equal(ackTopic('qs/v1/{device_id}/acks', 'a'), 'qs/v1/a/acks')
  assert.equal(ackTopic('{device_id}/acks/{device_id}', 'a'), 'a/acks/a')
})

test('a device id that looks like a replacement pattern or a placeholder is taken as it is', () => {
  assert.equal(ackTopic('acks/{device_id}', '$&$1$$'), 'acks/$&$1$$')
  assert.equal(ackTopic('acks/{device_id}', '{device_id}'), 'acks/{device_id}')
})

test('a device id has no slash, no wildcard, no control character, and is not empty', () => {
  for (const good of ['a', 'esp32-a1', 'Ä 漢 🚀', '$a', ' ', '{device_id}', '\u00a0'])
    assert.equal(isDeviceId(good), true, good)
  for (const bad of ['', 'a/b', 'a+', '#', '\0', 'a\n', '\u001f', '\u007f', '\u0080', '\u009f']) {
    assert.equal(isDeviceId(bad), false, JSON.stringify(bad))
  }
})

test('topic filters match as in MQTT', () => {
  const cases: readonly (readonly [filter: string, topic: string, matches: boolean])[] = [
    ['a/b', 'a/b', true],
    ['a/b', 'a/B', false],
    ['a/b', 'a', false],
    ['a', 'a/b', false],
    ['a/+', 'a/b', true],
    ['a/+', 'a/', true],
    ['a/+', 'a', false],
    ['a/+', 'a/b/c', false],
    ['+/+', '/a', true],
    ['+', '/a', false],
    ['#', 'a/b/c', true],
    ['#', '/', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'ab', false],
    ['a/+/#', 'a', false],
    ['a/+/#', 'a/b', true],
    ['#', '$SYS/uptime', false],
    ['+/uptime', '$SYS/uptime', false],
    ['$SYS/#', '$SYS/uptime', true],
    ['$SYS/+', '$SYS/uptime', true],
    ['a/#', 'a/$b', true],
  ]
  for (const [filter, topic, matches] of cases) {
    assert.equal(topicMatches(filter, topic), matches, `${filter} and ${topic}`)
  }
})

test('a topic is matched by itself, with + for each of its levels, and with # after each of its beginnings', () => {
  const levels = fc
    .array(fc.stringMatching(/^[a-z$]{0,3}$/), { minLength: 1, maxLength: 5 })
    .filter(([first]) => !first?.startsWith('$'))
  fc.assert(
    fc.property(levels, fc.nat(), (parts, n) => {
      const topic = parts.join('/')
      const at = n % parts.length
      assert.equal(topicMatches(topic, topic), true)
      assert.equal(topicMatches(parts.with(at, '+').join('/'), topic), true)
      assert.equal(topicMatches([...parts.slice(0, at), '#'].join('/'), topic), true)
      assert.equal(topicMatches(parts.with(at, 'zzzz').join('/'), topic), false)
      assert.equal(topicMatches(`${topic}/+`, topic), false)
    }),
  )
})
