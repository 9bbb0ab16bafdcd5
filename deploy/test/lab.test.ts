import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeviceClient } from '@qs-telemetry/device'
import { Stack } from './support/stack.ts'

test('MQTT_ALLOW_ANONYMOUS=true lets boards in without credentials, and the broker warns', async (t) => {
  const stack = await Stack.start(t, { env: { MQTT_ALLOW_ANONYMOUS: 'true' } })
  const client = new DeviceClient({ url: stack.mqttUrl, deviceId: 'guest' })
  t.after(() => client.close({ timeoutMs: 0 }))
  client.open()
  assert.equal((await client.send({ event_type: 'temp', value: 1 })).status, 'stored')
  assert.match(await stack.compose('logs', 'mosquitto'), /WARNING: MQTT_ALLOW_ANONYMOUS=true\. Anyone/)

  await t.test('and demands credentials again when the line is gone', async () => {
    stack.configure({ MQTT_ALLOW_ANONYMOUS: 'false' })
    await stack.up()
    const other = new DeviceClient({ url: stack.mqttUrl, deviceId: 'guest-2' })
    t.after(() => other.close({ timeoutMs: 0 }))
    other.open()
    await assert.rejects(other.connected({ timeoutMs: 5_000 }), /not authori[sz]ed/i)
  })
})
