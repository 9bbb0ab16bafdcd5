import { test } from 'node:test'
import { FORBIDDEN, mayDoItsWork } from '@qs-telemetry/testing/forbidden.ts'
import { Stack } from './support/stack.ts'

test('a device at the composed broker does its work, and nothing else', async (t) => {
  const stack = await Stack.start(t)
  const [device, otherDevice, revoked] = [
    await stack.addDevice('device'),
    await stack.addDevice('other-device'),
    await stack.addDevice('revoked'),
  ]
  await stack.qs('device', 'rm', 'revoked')
  const operator = { username: 'operator', password: stack.env.OPERATOR_MQTT_PASSWORD ?? '' }
  for (const protocolVersion of [4, 5] as const) {
    const context = {
      url: stack.mqttUrl,
      device,
      otherDevice,
      revoked,
      operator,
      ingesterClientId: 'qs-ingester',
      protocolVersion,
    }
    const version = protocolVersion === 4 ? '3.1.1' : '5'
    await t.test(`MQTT ${version}: it does its work`, () => mayDoItsWork(context))
    for (const { what, attempt } of FORBIDDEN) {
      await t.test(`MQTT ${version}: it cannot ${what}`, () => attempt(context))
    }
  }
})
