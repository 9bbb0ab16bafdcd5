import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import { startEmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts'

/** The broker, with a device that is read at most every 300 ms. */
async function startBroker(t: { after(end: () => unknown): void }) {
  const charged: [topic: string, bytes: number][] = []
  const broker = await startEmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    wsPort: 0,
    credentials: null,
    accountsFile: null,
    maxPacketBytes: 1024 * 1024,
    charge: (_clientId, topic, { bytes }) => {
      charged.push([topic ?? '(refused)', bytes])
      return topic === 'flood' ? 300 : 0
    },
    log: silentLog().log,
  })
  t.after(() => broker.stop())
  return { broker, charged }
}

for (const way of ['TCP with 3.1.1', 'TCP with 5', 'WebSocket'] as const) {
  test(`a client above its budget is read slowly and loses nothing, others are not slowed: ${way}`, async (t) => {
    const { broker, charged } = await startBroker(t)
    const url = way === 'WebSocket' ? `ws://127.0.0.1:${broker.wsPort}` : `mqtt://127.0.0.1:${broker.port}`
    const protocolVersion = way === 'TCP with 5' ? 5 : 4
    const [flood, other, watcher] = await Promise.all([
      connectAsync(url, { protocolVersion }),
      connectAsync(url, { protocolVersion }),
      connectAsync(url),
    ])
    t.after(() => Promise.all([flood, other, watcher].map((client) => client.endAsync(true))))
    const seen: string[] = []
    watcher.on('message', (_topic, payload) => seen.push(payload.subarray(0, 8).toString().trim()))
    await watcher.subscribeAsync('flood', { qos: 0 })

    const padding = 'x'.repeat(64 * 1024)
    const startMs = performance.now()
    const all = Array.from({ length: 12 }, (_, n) =>
      flood.publishAsync('flood', `${String(n).padEnd(8)}${padding}`, { qos: 1 }),
    )
    await until(() => charged.some(([topic]) => topic === 'flood'), 'the flood has begun')
    for (let n = 0; n < 20; n++) await other.publishAsync('other', 'x', { qos: 1 })
    const hasBegun = charged.filter(([topic]) => topic === 'flood').length
    assert.ok(hasBegun < 12, `${hasBegun} of 12 were read meanwhile`)
    await Promise.all(all)
    const floodTookMs = performance.now() - startMs
    assert.ok(floodTookMs > 900, `it took ${floodTookMs} ms`)
    await until(() => seen.length === 12, 'all of it arrives')
    assert.deepEqual(
      seen,
      Array.from({ length: 12 }, (_, n) => String(n)),
    )
  })
}

test('a refused message is charged to the client and not to a device, with the bytes of its packet', async (t) => {
  const { broker, charged } = await startBroker(t)
  const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`)
  t.after(() => client.endAsync(true))
  await client.publishAsync('$SYS/forbidden', 'x', { qos: 1 })
  await client.publishAsync('t', 'four', { qos: 1 })
  assert.deepEqual(charged, [
    ['(refused)', 21],
    ['t', 11],
  ])
})
