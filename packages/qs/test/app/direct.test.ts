import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync, type IClientOptions } from 'mqtt'
import pg from 'pg'
import { SETTINGS } from '../../src/config/settings.ts'

const event = (id: string, fields: object = {}) =>
  JSON.stringify({ schema: 1, event_id: id, device_id: 'board', event_type: 'temp', value: 20.5, ...fields })

const TOPIC = 'qs/v1/board/events'

for (const protocolVersion of [4, 5] as const) {
  for (const qos of [1, 2] as const) {
    test(`a PUBACK or PUBREC says committed: MQTT ${protocolVersion}, QoS ${qos}`, async (t) => {
      const { mqttPort, databaseUrl, query } = await startTestConsole(t)
      const url = `mqtt://127.0.0.1:${mqttPort}`
      const options: IClientOptions = { protocolVersion, reconnectPeriod: 0 }
      const device = await connectAsync(url, options)
      const watcher = await connectAsync(url, options)
      t.after(() => Promise.all([device.endAsync(true), watcher.endAsync(true)]))
      const acks: string[] = []
      const others: string[] = []
      watcher.on('message', (topic, payload) => (topic === 'other' ? others : acks).push(String(payload)))
      await watcher.subscribeAsync(['qs/v1/board/acks', 'other'])

      await device.publishAsync(TOPIC, event('a'), { qos })
      assert.deepEqual(await query('select event_id from events'), [{ event_id: 'a' }])
      await until(() => acks.length === 1, 'the device ack')
      assert.equal(JSON.parse(acks[0] as string).status, 'stored')

      const lock = new pg.Client({ connectionString: databaseUrl })
      await lock.connect()
      await lock.query('begin; lock table events in access exclusive mode')
      let isAnswered = false
      const waiting = device.publishAsync(TOPIC, event('b'), { qos }).then(() => {
        isAnswered = true
      })
      await device.publishAsync('other', 'x', { qos: 0 })
      await until(() => others.length === 1, 'another topic flows')
      assert.equal(isAnswered, false)
      await lock.query('commit')
      await waiting
      assert.equal((await query('select event_id from events')).length, 2)
      await lock.end()
    })
  }
}

test('MQTT 5 learns of a rejected message, and not of an array of which something is stored', async (t) => {
  const { mqttPort, query } = await startTestConsole(t)
  const device = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`, { protocolVersion: 5 })
  t.after(() => device.endAsync(true))
  const refusal = async (payload: string) => {
    const answer = await device.publishAsync(TOPIC, payload, { qos: 1 }).then(
      () => null,
      (error: { readonly code: number }) => error.code,
    )
    return answer
  }
  assert.equal(await refusal(event('a')), null)
  assert.equal(await refusal('no JSON'), 0x99)
  assert.equal(await refusal(event('a', { value: 21 })), 0x99)
  assert.equal(await refusal(`[${event('b')},{"schema":1}]`), null)
  assert.equal(await refusal('[{"schema":1},{"schema":1}]'), 0x99)
  // An array of which every element is rejected is one dead letter.
  const letters = await query('select code from dead_letters')
  assert.equal(letters.length, 4)
})

test('QoS 0 and a last will are stored too', async (t) => {
  const { mqttPort, query } = await startTestConsole(t)
  const url = `mqtt://127.0.0.1:${mqttPort}`
  const will = { topic: TOPIC, payload: Buffer.from(event('will')), qos: 1, retain: false } as const
  const device = await connectAsync(url, { will, reconnectPeriod: 0 })
  await device.publishAsync(TOPIC, event('zero'), { qos: 0 })
  await until(async () => (await query('select event_id from events')).length === 1, 'QoS 0')
  device.stream.destroy()
  await until(async () => (await query('select event_id from events')).length === 2, 'the will')
  assert.deepEqual(await query('select event_id from events order by 1'), [
    { event_id: 'will' },
    { event_id: 'zero' },
  ])
})

test('an outside client with the client id of the ingester is a client like any other', async (t) => {
  const { mqttPort, query } = await startTestConsole(t)
  const url = `mqtt://127.0.0.1:${mqttPort}`
  const options: IClientOptions = {
    ...{ clientId: SETTINGS.MQTT_CLIENT_ID.default, clean: false, reconnectPeriod: 0 },
    protocolVersion: 4,
  }
  const device = await connectAsync(url, { reconnectPeriod: 0 })
  const first = await connectAsync(url, options)
  const isTakenOver = new Promise<void>((resolve) => first.once('close', () => resolve()))
  const second = await connectAsync(url, options)
  t.after(() => Promise.all([device.endAsync(true), second.endAsync(true)]))
  await isTakenOver
  await second.subscribeAsync('qs/v1/+/events', { qos: 1 })
  await device.publishAsync(TOPIC, event('a'), { qos: 1 })
  await second.publishAsync(TOPIC, event('b'), { qos: 1 })
  assert.deepEqual(await query('select event_id from events order by 1'), [
    { event_id: 'a' },
    { event_id: 'b' },
  ])
})
