import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { leash } from '@qs-telemetry/testing/leash.ts'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { MqttLoad } from '../../bench/load/mqtt-load.ts'
import { openEmbeddedStage } from './embedded-stage.ts'
import { goodItem } from './item.ts'
import { lasting } from './lasting.ts'
import { patience, scale } from './scale.ts'
import { SelfishClient } from './selfish-client.ts'

const DEAF_MS = scale(30_000, 8_000)
/** The goal is 1 s on an idle machine. Cases run in parallel: 3.5 s on two cores under a load of 10. */
const MAX_SILENCE_MS = patience(5_000)
const NOISE = 'x'.repeat(100_000)
const NOISE_INTERVAL_MS = 20

test('embedded broker: subscribers that stop reading keep no device waiting', {
  skip: mosquittoMissing,
}, async (t) => {
  const stage = await openEmbeddedStage(t, {
    fault: 'embedded: a stopped subscriber of # and a board that never reads its acks',
    fleet: { devices: 5, eventsPerSecond: 100, resendAfterMs: 30_000 },
  })
  const { port } = stage
  const event = goodItem('selfish', 0)
  await startStopped(t, port)
  await stage.more(100)
  stage.sentBeside(event)
  const selfish = new SelfishClient({ port, kind: 'deaf', qos: 1, item: event })
  await selfish.open()
  t.after(() => selfish.leave())
  const load = await MqttLoad.connect({ port, clientId: 'noise', onLost: () => {} })
  const noise = setInterval(() => {
    load.publish('noise', NOISE)
    load.flush()
  }, NOISE_INTERVAL_MS)
  await lasting(DEAF_MS)
  await until(async () => /deaf_client/.test(await stage.alarms()), 'an alarm names a deaf client', 30_000)
  clearInterval(noise)
  load.close()
  selfish.leave()
  await stage.more(100)
  await stage.finish()
  const silenceMs = Math.round(stage.fleet.worstSilenceMs)
  t.diagnostic(`the longest time without a device ack was ${silenceMs} ms`)
  assert.ok(silenceMs < MAX_SILENCE_MS, `${silenceMs} ms without a device ack`)
})

/** A `mosquitto_sub` that subscribes to everything and is then stopped. */
async function startStopped(t: TestContext, port: number): Promise<void> {
  const deaf = spawn('mosquitto_sub', ['-p', String(port), '-t', '#', '-q', '1'], { stdio: 'pipe' })
  leash(deaf)
  t.after(() => deaf.kill('SIGKILL'))
  let hasHeard = false
  deaf.stdout.once('data', () => {
    hasHeard = true
  })
  await until(() => hasHeard, 'mosquitto_sub hears something')
  deaf.kill('SIGSTOP')
}
