import { test } from 'node:test'
import { mosquittoMissing } from '../../packages/ingester/test/support/mosquitto.ts'
import { until } from '../../packages/ingester/test/support/until.ts'
import { scale } from './scale.ts'
import { openStage } from './stage.ts'

const TIMES = scale(5, 2)
const EVENTS = 2_000

test('QoS 0, and the ingester is down: the broker as shipped keeps what was published', {
  skip: mosquittoMissing,
}, async (t) => {
  const stage = await openStage(t, {
    fault: `QoS 0 devices, ingester killed ${TIMES} times for ${EVENTS} events`,
    // Nothing is sent a second time: it comes from the broker or not at all.
    fleet: { qos: 0, eventsPerSecond: 500, resendAfterMs: 600_000 },
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
