import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeviceClient } from '@qs-telemetry/device'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import { type DeviceLogin, Stack } from './support/stack.ts'

test('without Mosquitto: boards connect to qs up, and the PUBACK follows COMMIT', async (t) => {
  const stack = await Stack.start(t, { env: { COMPOSE_FILE: 'compose.direct.yaml' } })
  let login: DeviceLogin | null = null
  const credentials = () => {
    assert.ok(login !== null)
    const { username, password, client_id: clientId } = login
    return { username, password, clientId }
  }

  await t.test('every service becomes healthy, and there is no Mosquitto', async () => {
    await stack.healthy('postgres', 'ingester', 'grafana')
  })

  await t.test('a board with an account gets its device ack, over TCP and WebSocket', async () => {
    login = await stack.addDevice('kitchen')
    const { username, password, clientId } = credentials()
    for (const url of [stack.mqttUrl, `ws://127.0.0.1:${stack.ports.ws}`]) {
      const client = new DeviceClient({ url, deviceId: 'kitchen', username, password, mqtt: { clientId } })
      client.open()
      assert.equal((await client.send({ event_type: 'temp', value: 21.5 })).status, 'stored')
      await client.close()
    }
  })

  await t.test('a client that knows no device ack has its row at the PUBACK', async () => {
    const client = await connectAsync(stack.mqttUrl, { ...credentials(), reconnectPeriod: 0 })
    const event = { schema: 1, event_id: 'plain', device_id: 'kitchen', event_type: 'temp', value: 1 }
    await client.publishAsync('qs/v1/kitchen/events', JSON.stringify(event), { qos: 1 })
    assert.equal(await stack.sql(`select count(*) from events where event_id = 'plain'`), '1')
    await client.endAsync(true)
    await assert.rejects(connectAsync(stack.mqttUrl, { reconnectPeriod: 0 }), /Bad username or password/)
  })

  await t.test('down and up keep rows and accounts', async () => {
    await stack.compose('down')
    await stack.up()
    assert.equal(await stack.sql('select count(*) from events'), '3')
    assert.match(await stack.qs('device', 'ls'), /kitchen/)
  })

  await t.test('a certificate made in the container serves 8883', async () => {
    const made = await stack.compose('run', '--rm', '-T', 'ingester', 'certificate', '127.0.0.1', '--json')
    assert.ok((JSON.parse(made) as { names: readonly string[] }).names.includes('127.0.0.1'))
    await stack.compose('restart', 'ingester')
    await until(() => stack.isReady(), 'the ingester is ready', 60_000)
    const ca = await stack.compose('exec', '-T', 'ingester', 'cat', '/data/tls/ca.crt')
    const url = `mqtts://127.0.0.1:${stack.ports.mqtts}`
    const client = await connectAsync(url, { ...credentials(), ca, reconnectPeriod: 0 })
    await client.endAsync(true)
  })

  await t.test('the promise holds here too', async () => {
    const { ok } = JSON.parse(await stack.qs('verify', '--events', '500', '--json')) as {
      readonly ok: boolean
    }
    assert.equal(ok, true)
  })
})
