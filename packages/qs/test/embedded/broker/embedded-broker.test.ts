import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket, createServer } from 'node:net'
import { test } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import fc from 'fast-check'
import mqtt from 'mqtt'
import { generate } from 'mqtt-packet'
import { WebSocket } from 'ws'
import { startEmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts'
import { closed, connect, credentials, loopback, received, start, tcp } from './connecting.ts'

for (const transport of ['tcp', 'ws'] as const) {
  for (const qos of [0, 1, 2] as const) {
    test(`QoS ${qos} messages pass over ${transport}`, async (t) => {
      const broker = await start(t)
      const url = transport === 'tcp' ? tcp(broker) : `ws://127.0.0.1:${broker.wsPort}`
      const [publisher, subscriber] = [await connect(t, url), await connect(t, url)]
      const messages = received(subscriber)
      await subscriber.subscribeAsync('qs/v1/+/events', { qos })
      await publisher.publishAsync('qs/v1/board-1/events', '{"schema":1}', { qos })
      await until(() => messages.length > 0, 'the message arrives')
      assert.deepEqual(messages, ['qs/v1/board-1/events: {"schema":1}'])
    })
  }
}

test('a retained message reaches later subscribers', async (t) => {
  const broker = await start(t)
  const publisher = await connect(t, tcp(broker))
  await publisher.publishAsync('state', 'on', { qos: 1, retain: true })
  const subscriber = await connect(t, tcp(broker))
  const messages = received(subscriber)
  await subscriber.subscribeAsync('state')
  await until(() => messages.includes('state: on'), 'the retained message arrives')
})

test('the last will of a lost client is published', async (t) => {
  const broker = await start(t)
  const subscriber = await connect(t, tcp(broker))
  const messages = received(subscriber)
  await subscriber.subscribeAsync('gone')
  const will = { topic: 'gone', payload: Buffer.from('board-1'), qos: 1, retain: false } as const
  const lost = await connect(t, tcp(broker), { will })
  lost.stream.destroy()
  await until(() => messages.includes('gone: board-1'), 'the last will arrives')
})

for (const qos of [1, 2] as const) {
  test(`a durable session gets messages published with QoS ${qos} while its client was away`, async (t) => {
    const broker = await start(t)
    const session = { clientId: 'ingester', clean: false } as const
    const before = await connect(t, tcp(broker), session)
    await before.subscribeAsync('events', { qos })
    await before.endAsync()
    const publisher = await connect(t, tcp(broker))
    for (let i = 0; i < 50; i++) await publisher.publishAsync('events', String(i), { qos })

    const after = mqtt.connect(tcp(broker), { protocolVersion: 4, reconnectPeriod: 0, ...session })
    t.after(() => after.end(true))
    const messages = received(after)
    await until(() => messages.length >= 50, 'the queue arrives')
    assert.deepEqual(
      messages,
      Array.from({ length: 50 }, (_, i) => `events: ${i}`),
    )
  })
}

test('with credentials, only clients that have them are admitted', async (t) => {
  const { log, records } = silentLog()
  const broker = await start(t, { credentials, log })
  await connect(t, tcp(broker), credentials)
  await connect(t, `ws://127.0.0.1:${broker.wsPort}`, credentials)
  await assert.rejects(connect(t, tcp(broker)), /Bad username or password/)
  await assert.rejects(connect(t, tcp(broker), { ...credentials, password: 'x' }), /Bad username or password/)
  assert.equal(
    records.filter((record) => record.level === 'warn').length,
    1,
    'said once, not for each attempt',
  )
})

test('without credentials it does not listen beyond loopback', async (t) => {
  await assert.rejects(start(t, { host: '0.0.0.0' }), /MQTT_USERNAME and MQTT_PASSWORD/)
  await start(t, { host: '0.0.0.0', credentials })
})

test('without credentials a page of another site cannot connect', async (t) => {
  const broker = await start(t)
  const url = `ws://127.0.0.1:${broker.wsPort}`
  const foreign = new WebSocket(url, ['mqtt'], { origin: 'https://example.com' })
  const [error] = await once(foreign, 'error')
  assert.match(String(error), /401/)
  const local = new WebSocket(url, ['mqtt'], { origin: 'http://localhost:8080' })
  await once(local, 'open')
  local.terminate()
})

test('a port in use is named with its setting', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const { port } = other.address() as { port: number }
  await assert.rejects(start(t, { port }), new RegExp(`Port ${port} .*MQTT_PORT`))
  const free = await freePort()
  await assert.rejects(start(t, { port: free, wsPort: port }), new RegExp(`Port ${port} .*MQTT_WS_PORT`))
  await start(t, { port: free })
})

test('malformed bytes and oversized packets affect only the client that sent them', async (t) => {
  const { log, records } = silentLog()
  const broker = await start(t, { log })
  const good = await connect(t, tcp(broker))
  const messages = received(good)
  await good.subscribeAsync('t')

  for (const bytes of ['00', 'ffffffffffff', '10040004ffff', '3003000023', '1000', '474554202f']) {
    const bad = connectSocket(broker.port, '127.0.0.1').resume()
    bad.on('error', () => {})
    bad.end(Buffer.from(bytes, 'hex'))
    await once(bad, 'close')
  }
  for (const url of [tcp(broker), `ws://127.0.0.1:${broker.wsPort}`]) {
    const bad = await connect(t, url)
    bad.publish('t', Buffer.alloc(loopback.maxPacketBytes))
    await closed(bad)
  }
  const anonymous = connectSocket(broker.port, '127.0.0.1').resume()
  anonymous.on('error', () => {})
  anonymous.write(Buffer.from('10ffffff7f', 'hex'))
  await once(anonymous, 'close')

  await good.publishAsync('t', Buffer.alloc(9_000, 'x'), { qos: 1 })
  await until(() => messages.length > 0, 'the good message arrives')
  assert.equal(messages.length, 1)
  const tooLarge = records.filter(({ msg }) => msg.includes('above the limit of 10000'))
  assert.equal(tooLarge.length, 1, 'logged once, not each time')
})

test('the broker survives arbitrary bytes from a client', async (t) => {
  const broker = await start(t)
  const hello = generate({ cmd: 'connect', clientId: 'bad', protocolVersion: 4, clean: true, keepalive: 0 })
  const sendsBytes = fc.asyncProperty(
    fc.boolean(),
    fc.uint8Array({ minLength: 1, maxLength: 60 }),
    async (polite, bytes) => {
      const bad = connectSocket(broker.port, '127.0.0.1').resume()
      bad.on('error', () => {})
      if (polite) bad.write(hello)
      bad.end(bytes)
      await once(bad, 'close')
    },
  )
  await fc.assert(sendsBytes, { numRuns: 200 })
  await connect(t, tcp(broker))
})

test('stop() closes clients, idle connections and listeners at once', async () => {
  const broker = await startEmbeddedBroker({ ...loopback, log: silentLog().log })
  const client = await mqtt.connectAsync(tcp(broker), { protocolVersion: 4, reconnectPeriod: 0 })
  const webSocket = new WebSocket(`ws://127.0.0.1:${broker.wsPort}`, ['mqtt'])
  webSocket.on('error', () => {})
  await once(webSocket, 'open')
  const idle = connectSocket(broker.port, '127.0.0.1').resume()
  await once(idle, 'connect')
  const allClosed = Promise.all([closed(client), once(webSocket, 'close'), once(idle, 'close')])
  const started = performance.now()
  await broker.stop()
  await allClosed
  // The time after which the idle connection would be closed anyway.
  assert.ok(performance.now() - started < 10_000)
  await assert.rejects(mqtt.connectAsync(tcp(broker), { reconnectPeriod: 0 }, false), /ECONNREFUSED/)
})
