import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectWatcher } from '../../src/source/watcher-client.ts'
import { credentials, start, tcp } from '../embedded/broker/connecting.ts'

test('a refused watcher tries again, with the current password from the file', async (t) => {
  const broker = await start(t, { credentials })
  let password = 'an old one'
  const { username } = credentials
  const options = {
    url: tcp(broker),
    caFile: null,
    clientId: 'watcher-sys',
    username,
    password: () => password,
  }
  const client = connectWatcher(options, 50)
  t.after(() => client.endAsync(true))
  const refusals: string[] = []
  client.on('error', (error) => refusals.push(error.message))
  await until(() => refusals.length > 1, 'it is refused twice')
  assert.match(refusals[0] ?? '', /Bad username or password/)
  password = credentials.password
  await until(() => client.connected, 'it is connected')
})
