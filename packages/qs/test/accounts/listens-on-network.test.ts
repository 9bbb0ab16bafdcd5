import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { deviceLogin } from '../../src/accounts/device-login.ts'
import { listensOnNetwork } from '../../src/accounts/listens-on-network.ts'
import { loadConfig } from '../../src/config/load.ts'

test('it tells a broker that only this machine reaches from one that boards reach', async (t) => {
  const port = await freePort()
  const broker = createServer((socket) => socket.end())
  await new Promise<void>((listening) => broker.listen(port, '127.0.0.1', listening))
  t.after(() => broker.close())
  const config = loadConfig({ MQTT_PORT: String(port), QS_DATA_DIR: '/nowhere' })
  const login = deviceLogin(config, 'kitchen', 'secret')
  // 127.0.0.2 stands for an address on which the broker does not listen.
  assert.equal(await listensOnNetwork(config, login, '127.0.0.2'), false)
  assert.equal(await listensOnNetwork(config, login, '127.0.0.1'), true)
  const elsewhere = { ...config, MQTT_PUBLIC_URL: 'mqtt://nas.local' }
  assert.equal(await listensOnNetwork(elsewhere, login, '127.0.0.2'), true)
})
