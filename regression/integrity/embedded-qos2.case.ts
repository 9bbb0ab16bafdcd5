import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import { type EmbeddedStage, openEmbeddedStage } from './embedded-stage.ts'
import { type Item, item } from './item.ts'
import { scale } from './scale.ts'

const EVENTS = scale(5_000, 500)
const WILLS = scale(50, 10)
const CALM = { devices: 5, eventsPerSecond: 50, resendAfterMs: 30_000 }
const DEVICE = 'doomed'

test('embedded broker: QoS 2 publishes and QoS 2 wills reach the database beside QoS 1', async (t) => {
  const stage = await openEmbeddedStage(t, {
    fault: `embedded: QoS 2 publishes and ${WILLS} QoS 2 wills`,
    fleet: CALM,
  })
  await stage.addFleet({ name: 'twice', qos: 2, ...CALM }).start()
  const heard = await listenForWills(stage)
  for (let n = 0; n < WILLS; n++) await die(stage, item(DEVICE, n, { event_type: 'will', value: n }))
  await stage.more(EVENTS)
  await until(() => heard.size === WILLS, `${WILLS} wills have their device ack`, 30_000)
  await stage.finish()
})

/** The ids of the device acks so far; each is passed to the witness, too. */
async function listenForWills({ port, witness }: EmbeddedStage): Promise<ReadonlySet<string>> {
  const heard = new Set<string>()
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`)
  client.on('message', (_topic, payload) => {
    const { event_id: eventId, status } = JSON.parse(payload.toString())
    witness.acked({ deviceId: DEVICE, eventId, status })
    heard.add(eventId)
    if (heard.size === WILLS) client.end()
  })
  await client.subscribeAsync(`qs/v1/${DEVICE}/acks`, { qos: 1 })
  return heard
}

/** Connects with the event as its will, and leaves without DISCONNECT. */
async function die(stage: EmbeddedStage, event: Item): Promise<void> {
  const { payload } = event
  const client = await connectAsync(`mqtt://127.0.0.1:${stage.port}`, {
    reconnectPeriod: 0,
    will: { topic: `qs/v1/${DEVICE}/events`, payload: Buffer.from(payload), qos: 2, retain: false },
  })
  stage.sentBeside(event)
  client.stream.destroy()
}
