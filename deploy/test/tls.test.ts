import assert from 'node:assert/strict'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DeviceClient } from '@qs-telemetry/device'
import { Stack } from './support/stack.ts'

test('with certificates, boards and the stack itself use TLS only with authenticated servers', async (t) => {
  const stack = await Stack.create(t)
  await stack.run('./deploy/certificates.sh', 'nas.test', '127.0.0.1')
  const tls = (name: string) => join(stack.directory, 'tls', name)
  const authority = readFileSync(tls('ca.crt'))
  await stack.up()

  const { username, password, client_id: clientId } = await stack.addDevice('secure')
  const connect = (mqtt: object) => {
    const url = `mqtts://127.0.0.1:${stack.ports.mqtts}`
    const client = new DeviceClient({
      url,
      deviceId: 'secure',
      username,
      password,
      mqtt: { clientId, ...mqtt },
    })
    t.after(() => client.close({ timeoutMs: 0 }))
    client.open()
    return client
  }

  await t.test('a board that knows the authority publishes over 8883', async () => {
    const client = connect({ ca: authority })
    assert.equal((await client.send({ event_type: 'temp', value: 1 })).status, 'stored')
    await client.close()
  })

  await t.test('a board that does not know it gets an error', async () => {
    const client = connect({})
    await assert.rejects(client.connected({ timeoutMs: 5_000 }), /certificate/i)
  })

  await t.test('the ingester and Grafana reach the database over TLS', async () => {
    const grafana = `http://127.0.0.1:${stack.ports.grafana}/api/datasources/uid/qs/health`
    const authorization = `Basic ${btoa(`admin:${stack.env.GRAFANA_ADMIN_PASSWORD}`)}`
    assert.equal((await fetch(grafana, { headers: { authorization } })).status, 200)
    const connections = await stack.sql(
      'select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where client_addr is not null',
      'postgres',
    )
    assert.equal(connections, 't')
  })

  await t.test('renewed certificates keep the authority, so that boards need no change', async () => {
    const before = readFileSync(tls('mosquitto.crt'), 'utf8')
    await stack.run('./deploy/certificates.sh', '127.0.0.1')
    assert.deepEqual(readFileSync(tls('ca.crt')), authority)
    assert.notEqual(readFileSync(tls('mosquitto.crt'), 'utf8'), before)
    await stack.compose('up', '--detach', '--force-recreate')
    const client = connect({ ca: authority })
    assert.equal((await client.send({ event_type: 'temp', value: 2 })).status, 'stored')
  })

  await t.test('an ingester with the wrong authority does not connect', async () => {
    copyFileSync(tls('mosquitto.crt'), tls('ca.crt'))
    await assert.rejects(stack.compose('run', '--rm', '-T', 'migrate'))
  })
})
