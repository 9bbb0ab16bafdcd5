import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { scale } from './scale.ts'
import { openStage } from './stage.ts'

const TIMES = scale(5, 2)
const EVENTS = 2_000

test('QoS 0, and the ingester is down: a device that keeps each event until its device ack loses none', {
  skip: mosquittoMissing,
}, async (t) => {
  const stage = await openStage(t, {
    fault: `QoS 0 devices, ingester killed ${TIMES} times for ${EVENTS} events`,
    // The broker keeps none while the ingester is down: each is sent again.
    fleet: { qos: 0, eventsPerSecond: 500 },
  })
  for (let n = 0; n < TIMES; n++) {
    await stage.more(300)
    await stage.ingester.kill('SIGKILL')
    const goal = stage.sent + EVENTS
    await until(() => stage.sent >= goal, 'the devices have sent more', 30_000)
    stage.ingester.start()
    await stage.ingester.ready()
    await stage.flowing(5_000, 'the ingester is back')
  }
  await stage.more(EVENTS)
  await stage.finish()
})
