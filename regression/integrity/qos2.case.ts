import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { lasting } from './lasting.ts'
import { scale } from './scale.ts'
import { openStage } from './stage.ts'

const TIMES = scale(5, 2)
const AWAY_MS = 1_000
const LIMIT_MS = 5_000

test('QoS 2 devices: ingester and broker are killed, and every event is stored once', {
  skip: mosquittoMissing,
}, async (t) => {
  const stage = await openStage(t, {
    fault: `QoS 2 devices, ingester and broker killed ${TIMES} times each`,
    fleet: { qos: 2 },
  })
  for (let n = 0; n < TIMES; n++) {
    await stage.more(300)
    await stage.ingester.kill('SIGKILL')
    await lasting(AWAY_MS)
    stage.ingester.start()
    await stage.ingester.ready()
    await stage.flowing(LIMIT_MS, 'the ingester is back')
    await stage.broker.kill('SIGKILL')
    await lasting(AWAY_MS)
    await stage.broker.restart()
    await stage.flowing(LIMIT_MS, 'the broker is back')
  }
  await stage.more(300)
  await stage.finish()
})
