import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { listen } from '@qs-telemetry/testing/pipeline.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { openLinkedStage } from './links.ts'
import { scale } from './scale.ts'

const TIMES = scale(5, 2)
const FLOWING_MS = 5_000

test('a lost session, with everything queued in it, is logged as an error, and devices that keep their events lose none', {
  skip: mosquittoMissing,
}, async (t) => {
  const { stage, brokerLink } = await openLinkedStage(t, { fault: `session lost ${TIMES} times` })
  for (let n = 1; n <= TIMES; n++) {
    await stage.more(300)
    brokerLink.set({ kind: 'refuse' })
    brokerLink.reset()
    const queued = stage.sent + 300
    await until(() => stage.sent >= queued, 'the broker has queued something for the ingester')
    // A clean start ends the existing session [MQTT-3.1.2-4].
    const { client: thief } = await listen(t, stage.broker.url, { clientId: 'qs-ingester', clean: true })
    await thief.endAsync()
    brokerLink.heal()
    await stage.flowing(FLOWING_MS, 'the session was lost')
    const said = () => stage.ingester.log.split('The broker has lost the session').length - 1
    await until(() => said() === n, 'the ingester has logged it')
  }
  await stage.more(300)
  await stage.finish()
})
