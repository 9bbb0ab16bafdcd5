import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import { start, tcp } from '../embedded/broker/connecting.ts'

const TOPIC = 'qs/v1/d/events'
const event = (id: string) =>
  JSON.stringify({ schema: 1, event_id: id, device_id: 'd', event_type: 't', value: 1 })

const BROKERS = {
  'the embedded broker': async (t: TestContext) => tcp(await start(t)),
  Mosquitto: async (t: TestContext) => (await startMosquitto(t)).url,
}

for (const [name, startBroker] of Object.entries(BROKERS)) {
  for (const protocolVersion of [4, 5] as const) {
    test(`${name}, MQTT ${protocolVersion}: events and wills of every QoS are stored on one connection`, {
      skip: name === 'Mosquitto' && mosquittoMissing,
    }, async (t) => {
      const url = await startBroker(t)
      const { pipeline, query } = await startPipeline(t, url)
      const { client, received } = await listen(t, url, { protocolVersion })
      for (const qos of [0, 1, 2] as const) {
        await client.publishAsync(TOPIC, event(`publish-${qos}`), { qos })
        const device = await connectAsync(url, {
          protocolVersion,
          reconnectPeriod: 0,
          will: { topic: TOPIC, payload: Buffer.from(event(`will-${qos}`)), qos, retain: false },
        })
        device.stream.destroy()
      }
      await until(() => received.get('qs/v1/d/acks')?.length === 6, 'six device acks')
      const rows = await query('select event_id from events order by event_id')
      assert.deepEqual(
        rows.map(({ event_id }) => event_id),
        ['publish-0', 'publish-1', 'publish-2', 'will-0', 'will-1', 'will-2'],
      )
      assert.deepEqual(await query('select from dead_letters'), [])
      assert.equal(pipeline.source.status.reconnects, 0)
    })
  }
}
