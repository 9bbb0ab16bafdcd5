import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import { fakeBroker } from '../source/fake-broker.ts'

test('qs tail ends at a broker that ends its login without a word, as one without MQTT 3.1.1 does', async (t) => {
  const broker = await fakeBroker(t, { onConnect: (peer) => peer.destroy() })
  const { code, stderr } = await runCommand(['tail'], { MQTT_URL: broker.url })
  assert.equal(code, 1)
  assert.match(stderr, /ended the login of MQTT 3\.1\.1/)
})
