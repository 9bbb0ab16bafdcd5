import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  dynamicSecurityMissing,
  OPERATOR,
  startManagedMosquitto,
} from '@qs-telemetry/testing/dynamic-security.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import mqtt, { connectAsync } from 'mqtt'
import { ControlConnection } from '../../src/accounts/control-connection.ts'
import { accountTopics } from '../../src/accounts/operator-login.ts'
import { provision } from '../../src/accounts/provision.ts'
import { INGESTER } from '../../src/accounts/roles.ts'
import { UnhandledWatch } from '../../src/console/unhandled-watch.ts'
import type { Clock } from '../../src/pipeline/clock.ts'

const LOGIN = { username: 'ingester', password: 'ingester-secret' }

/** A clock that the test advances. */
function standingClock() {
  let nowMs = 0
  let act = () => {}
  const clock: Clock = {
    now: () => ({ epochMs: Date.parse('2026-11-23T18:00:00.123Z') + nowMs, micros: 456 }),
    monotonicMs: () => nowMs,
    after: () => () => {},
    every: (_, then) => {
      act = then
      return () => {}
    },
  }
  return {
    clock,
    pass: (ms: number) => {
      nowMs += ms
      act()
    },
  }
}

interface Login {
  readonly username: string
  readonly password: string
}

async function start(t: TestContext, url: string, login: Login | null) {
  const credentials = login === null ? {} : { MQTT_USERNAME: login.username, MQTT_PASSWORD: login.password }
  const { clock, pass } = standingClock()
  const config = configOf(credentials)
  const watch = new UnhandledWatch({ config, mqttUrl: url, clientId: 'watch', clock })
  watch.start()
  t.after(() => watch.stop())
  const sender = await connectAsync(url, { ...(login !== null && OPERATOR), reconnectPeriod: 100 })
  t.after(() => sender.endAsync(true))
  const send = (topic: string, payload = '{}') => sender.publishAsync(topic, payload, { qos: 1 })
  const countOf = (topic: string) => watch.list().topics.find((each) => each.topic === topic)?.messages ?? 0
  const hears = async () => {
    await send('qs/hello')
    return countOf('qs/hello') > 0
  }
  return { watch, pass, sender, send, countOf, hears }
}

test('the ingester finds misspelt topics at Mosquitto, and leaves out its own', {
  skip: dynamicSecurityMissing,
}, async (t) => {
  const { url } = await startManagedMosquitto(t)
  const topics = accountTopics(configOf())
  await provision({ operator: { url, ca: null, ...OPERATOR }, topics, ingester: LOGIN, onDone: () => {} })
  const { watch, send, countOf, hears, sender } = await start(t, url, LOGIN)
  await until(hears, 'it receives messages')
  await sender.publishAsync('qs/v1/cellar/state', 'retained', { qos: 1, retain: true })
  for (const topic of [
    'qs/v1/kitchen/events',
    'qs/v1/kitchen/acks',
    'qs/v1/deadletter',
    'qs/v1/kitchen/event',
  ])
    await send(topic, `{"sent":"${topic}"}`)
  await until(() => countOf('qs/v1/kitchen/event') === 1, 'the misspelt topic is listed')
  const list = watch.list()
  assert.deepEqual([list.problem, list.isSampled, list.more], [null, false, 0])
  assert.equal(watch.events, 1)
  const [first] = list.topics
  assert.deepEqual(first, {
    topic: 'qs/v1/kitchen/event',
    messages: 1,
    lastAt: '2026-11-23T18:00:00.123Z',
    clientId: null,
    isAllowed: true,
    payload: '{"sent":"qs/v1/kitchen/event"}',
    likelyTopic: 'qs/v1/kitchen/events',
  })
  assert.deepEqual(list.topics.map(({ topic }) => topic).toSorted(), [
    'qs/hello',
    'qs/v1/cellar/state',
    'qs/v1/kitchen/event',
  ])
})

test('missing read permission is reported with a fix, and messages are seen once it is granted', {
  skip: dynamicSecurityMissing,
}, async (t) => {
  const { url } = await startManagedMosquitto(t)
  const topics = accountTopics(configOf())
  const operator = { url, ca: null, ...OPERATOR }
  const provisioned = () => provision({ operator, topics, ingester: LOGIN, onDone: () => {} })
  await provisioned()
  const control = await ControlConnection.open(operator)
  t.after(() => control.close())
  for (const acltype of ['publishClientReceive', 'subscribePattern', 'unsubscribePattern'])
    await control.run({ command: 'removeRoleACL', rolename: INGESTER, acltype, topic: 'qs/#' })
  const { watch, pass, hears } = await start(t, url, LOGIN)
  const told = 'The broker does not allow the user ingester to read qs/#; grant it with qs provision'
  await until(() => watch.list().problem?.startsWith(told), 'the fix is reported')
  await provisioned()
  pass(30_000)
  await until(hears, 'it receives messages')
  assert.equal(watch.list().problem, null)
})

test('a busy broker is sampled every half minute, and the list says so', {
  skip: mosquittoMissing,
}, async (t) => {
  const { url } = await startMosquitto(t)
  const { watch, pass, sender, send, countOf, hears } = await start(t, url, null)
  await until(hears, 'it receives messages')
  const other = mqtt.connect(url)
  t.after(() => other.endAsync(true))
  let heard = 0
  other.on('message', () => heard++)
  await other.subscribeAsync('qs/flood')
  for (let n = 0; n < 2_000; n++) sender.publish('qs/flood', 'x', { qos: 0 })
  await until(() => heard === 2_000, 'the broker has passed all of them on')
  assert.ok(watch.list().isSampled)
  assert.ok(countOf('qs/flood') > 0 && countOf('qs/flood') <= 200, `${countOf('qs/flood')} are counted`)
  await send('qs/meanwhile')
  pass(30_000)
  await until(async () => {
    await send('qs/later')
    return countOf('qs/later') > 0
  }, 'it receives messages again')
  assert.equal(countOf('qs/meanwhile'), 0)
  pass(40_000)
  assert.ok(!watch.list().isSampled)
})

test('large messages end the sample as well', { skip: mosquittoMissing }, async (t) => {
  const { url } = await startMosquitto(t)
  const { watch, send, countOf, hears } = await start(t, url, null)
  await until(hears, 'it receives messages')
  for (let n = 0; n < 8; n++) await send('qs/large', 'x'.repeat(250_000))
  await until(() => watch.list().isSampled, 'it is a sample')
  assert.ok(countOf('qs/large') <= 4)
})

test('retained messages are not counted again with each subscription', {
  skip: mosquittoMissing,
}, async (t) => {
  const { url } = await startMosquitto(t)
  const before = await connectAsync(url)
  await before.publishAsync('qs/kept', 'x', { qos: 1, retain: true })
  await before.endAsync()
  const { countOf, hears } = await start(t, url, null)
  await until(hears, 'it receives messages')
  assert.equal(countOf('qs/kept'), 0)
})
