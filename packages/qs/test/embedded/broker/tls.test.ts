import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { connect as connectSocket, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { generate } from 'mqtt-packet'
import { WebSocket } from 'ws'
import { certificateAlarm } from '../../../src/alarms/certificate-alarm.ts'
import { renewCertificate } from '../../../src/certificates/renew-certificate.ts'
import type { EmbeddedBroker, EmbeddedBrokerOptions } from '../../../src/embedded/broker/embedded-broker.ts'
import { temporaryDirectory } from '../postgres/data-directory.ts'
import { connect, received, start, tcp, webSocket } from './connecting.ts'

const DAY_MS = 86_400_000
const run = promisify(execFile)

interface Options extends Partial<EmbeddedBrokerOptions> {
  /** When the certificate was issued, for one day. */
  readonly issuedMs?: number
}

async function startTls(t: TestContext, { issuedMs = Date.now(), ...options }: Options = {}) {
  const dataDir = temporaryDirectory(t)
  const renew = (days = 1, nowMs = issuedMs) =>
    renewCertificate(dataDir, { names: ['localhost', '127.0.0.1'], days, newAuthority: false, nowMs })
  const { folder } = await renew()
  const tls = { ...folder, host: '127.0.0.1', port: 0, wsPort: 0 }
  const broker = await start(t, { ...options, tls })
  return { broker, folder, renew, ca: readFileSync(folder.authorityFile), dataDir }
}

const mqtts = ({ tlsPort }: EmbeddedBroker) => `mqtts://localhost:${tlsPort}`
const wss = ({ wssPort }: EmbeddedBroker) => `wss://localhost:${wssPort}`

function socketTo(t: TestContext, port: number | null): Socket {
  const socket = connectSocket(Number(port), '127.0.0.1').resume()
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  return socket
}

for (const protocolVersion of [4, 5] as const) {
  test(`MQTT ${protocolVersion} works over TLS and WebSocket over TLS as over TCP`, async (t) => {
    const { broker, ca } = await startTls(t)
    const plain = await connect(t, tcp(broker))
    const messages = received(plain)
    await plain.subscribeAsync('t/#')
    for (const [name, url] of [
      ['tls', mqtts(broker)],
      ['wss', wss(broker)],
    ] as const) {
      const client = await connect(t, url, { protocolVersion, ca })
      const mine = received(client)
      await client.subscribeAsync('back', { qos: 1 })
      await client.publishAsync(`t/${name}`, 'x'.repeat(9_000), { qos: 2 })
      await plain.publishAsync('back', name, { qos: 1 })
      await until(() => mine.length === 1, 'a message back')
    }
    await until(() => messages.length === 2, 'both messages')
  })
}

test('mosquitto_pub and paho verify the certificate with ca.crt', {
  skip: missing('mosquitto_pub'),
}, async (t) => {
  const { broker, folder } = await startTls(t)
  const plain = await connect(t, tcp(broker))
  const messages = received(plain)
  await plain.subscribeAsync('#')
  const target = ['-h', 'localhost', '-p', String(broker.tlsPort), '-t', 'm', '-q', '1', '-m', 'x']
  await run('mosquitto_pub', ['--cafile', folder.authorityFile, ...target])
  await run('mosquitto_pub', ['--cafile', folder.authorityFile, ...target, '-V', 'mqttv5'])
  const other = temporaryDirectory(t)
  const wrong = await renewCertificate(other, {
    names: ['x'],
    days: 1,
    newAuthority: false,
    nowMs: Date.now(),
  })
  await assert.rejects(run('mosquitto_pub', ['--cafile', wrong.folder.authorityFile, ...target]))
  await until(() => messages.length === 2, 'two messages')
  const python = ['/usr/bin/python3', '-c', PAHO, folder.authorityFile, String(broker.tlsPort)] as const
  const hasPaho = await run('/usr/bin/python3', ['-c', 'import paho.mqtt.client']).then(
    () => true,
    () => false,
  )
  if (!hasPaho) return t.diagnostic('without paho: python3-paho-mqtt is not installed')
  await run(python[0], python.slice(1))
  await until(() => messages.length === 3, 'the message of paho')
})

const PAHO = `
import sys, paho.mqtt.publish as publish
publish.single("p", "x", qos=1, hostname="localhost", port=int(sys.argv[2]), tls={"ca_certs": sys.argv[1]})`

test('a client that does not know the authority is refused by itself, and the log says why', async (t) => {
  const { log, records } = silentLog()
  const { broker } = await startTls(t, { log })
  const other = temporaryDirectory(t)
  const { folder } = await renewCertificate(other, {
    ...{ names: ['localhost'], days: 1, newAuthority: false, nowMs: Date.now() },
  })
  const ca = readFileSync(folder.authorityFile)
  await assert.rejects(connect(t, mqtts(broker), { ca }), /certificate|signature/)
  await assert.rejects(connect(t, mqtts(broker)), /certificate/)
  await assert.rejects(
    run('openssl', [
      ...['s_client', '-connect', `localhost:${broker.tlsPort}`, '-verify_return_error'],
      ...['-CAfile', folder.authorityFile],
    ]),
  )
  await until(
    () => records.some(({ msg }) => /does not trust|does not accept/.test(msg)),
    'the line in the log',
  )
})

test('an expired certificate does not stop the broker: clients refuse it, and an alarm says so', async (t) => {
  const { broker, ca, renew } = await startTls(t, { issuedMs: Date.now() - 3 * DAY_MS })
  await assert.rejects(connect(t, mqtts(broker), { ca }), /expired/)
  await connect(t, tcp(broker))
  const text = certificateAlarm(() => broker.certificateEndMs).check(0)
  assert.match(text ?? '', /expired on .*qs certificate/)
  await renew(60, Date.now())
  const isAccepted = () =>
    connect(t, mqtts(broker), { ca }).then(
      () => true,
      () => false,
    )
  await until(isAccepted, 'the renewed certificate is used without a restart', 30_000)
  assert.equal(certificateAlarm(() => broker.certificateEndMs).check(0), null)
})

test('a pair that does not match ends the start; while it runs, the previous one stays in use', async (t) => {
  const { log, records } = silentLog()
  const { broker, folder, ca } = await startTls(t, { log })
  const own = { ...folder, keyFile: folder.authorityKeyFile }
  await assert.rejects(
    start(t, { tls: { ...own, host: '127.0.0.1', port: 0, wsPort: 0 } }),
    /is not the key of the first certificate/,
  )
  copyFileSync(folder.authorityKeyFile, folder.keyFile)
  await until(
    () => records.some(({ msg }) => msg.includes('the previous one stays in use')),
    'the warning',
    30_000,
  )
  await connect(t, mqtts(broker), { ca })
})

test('a client without TLS on the TLS port is closed, and the log names the right port', async (t) => {
  const { log, records } = silentLog()
  const { broker, ca } = await startTls(t, { log })
  await assert.rejects(connect(t, `mqtt://127.0.0.1:${broker.tlsPort}`))
  await until(
    () => records.some(({ msg }) => /does not speak TLS.*MQTT_PORT/.test(msg)),
    'the line in the log',
  )
  const web = socketTo(t, broker.wssPort)
  web.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(web, 'close')
  await connect(t, mqtts(broker), { ca })
})

test('slow handshakes count against the limits, are ended in time, and hold nobody up', async (t) => {
  const limits = { maxConnections: 100, maxPerAddress: 6 }
  const { broker, ca } = await startTls(t, { limits })
  const silent = [socketTo(t, broker.tlsPort), socketTo(t, broker.wssPort), socketTo(t, broker.tlsPort)]
  const trickling = socketTo(t, broker.tlsPort)
  // The first bytes of a handshake record of 512 bytes, and then one byte every 100 ms.
  trickling.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]))
  const drip = setInterval(() => trickling.writable && trickling.write(Buffer.from([1])), 100)
  t.after(() => clearInterval(drip))
  await Promise.all([...silent, trickling].map((socket) => once(socket, 'connect')))
  const client = await connect(t, mqtts(broker), { ca })
  await client.publishAsync('t', 'x', { qos: 1 })
  const web = await connect(t, wss(broker), { ca })
  await web.publishAsync('t', 'x', { qos: 1 })
  await once(socketTo(t, broker.port), 'close')
  assert.ok(broker.refused.refused >= 1, 'six connections are open')
  const startMs = performance.now()
  await Promise.all([...silent, trickling].map((socket) => once(socket, 'close')))
  assert.ok(performance.now() - startMs < 40_000)
  await connect(t, tcp(broker))
})

test('after the handshake, a connection without a complete CONNECT is closed in time', async (t) => {
  const { broker, ca } = await startTls(t)
  const socket = connectTls({ port: Number(broker.tlsPort), host: 'localhost', ca }).resume()
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  await once(socket, 'close')
})

test('the broker stops in the middle of a handshake', async (t) => {
  const { broker, dataDir } = await startTls(t)
  const socket = socketTo(t, broker.tlsPort)
  await once(socket, 'connect')
  assert.ok(existsSync(join(dataDir, 'tls')))
  const closed = once(socket, 'close')
  await broker.stop()
  await closed
})

type GoDeaf = (t: TestContext, broker: EmbeddedBroker, ca: Buffer) => void

const overTls: GoDeaf = (t, { tlsPort }, ca) => {
  const socket = connectTls({ port: Number(tlsPort), host: 'localhost', ca })
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  socket.once('secureConnect', () => {
    socket.write(deafHello(0))
    socket.pause()
  })
}

const overSecureWebSocket: GoDeaf = (t, broker, ca) => {
  const socket = new WebSocket(wss(broker), ['mqtt'], { ca })
  socket.on('error', () => {})
  t.after(() => socket.terminate())
  socket.once('open', () => {
    socket.send(deafHello(1))
    socket.pause()
  })
}

test('a client that never reads over TLS or WebSocket over TLS is disconnected, and what waits for it is bounded', async (t) => {
  const endOne = async (goDeaf: GoDeaf) => {
    const { broker, ca } = await startTls(t)
    goDeaf(t, broker, ca)
    const flood = () => {
      for (let n = 0; n < 5; n++) broker.publish('t', 'x'.repeat(100_000), 1)
      return broker.deaf !== null
    }
    await until(flood, 'it is disconnected')
    assert.equal(broker.deaf?.client, 'deaf')
    // 8 MiB.
    assert.ok(broker.waiting < 90, `${broker.waiting} messages wait in the session`)
    assert.ok(broker.dropped > 0)
  }
  await Promise.all([endOne(overTls), endOne(overSecureWebSocket)])
})

/** CONNECT and SUBSCRIBE to everything. */
function deafHello(qos: 0 | 1): Buffer {
  const session = { clean: qos === 0, keepalive: 0, protocolVersion: 4, protocolId: 'MQTT' } as const
  return Buffer.concat([
    generate({ cmd: 'connect', clientId: 'deaf', ...session }),
    generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos }] }),
  ])
}

/** The ports of connections to loopback that have a keep-alive timer: `02` in the sixth field of each line. */
function keptAlive(): ReadonlySet<number> {
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n')
  const fields = lines.map((line) => line.trim().split(/\s+/))
  const kept = fields.filter(([, , , state, , timer]) => state === '01' && timer?.startsWith('02:'))
  return new Set(kept.map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16)))
}

test('connections have TCP keep-alive, with and without TLS', {
  skip: process.platform !== 'linux' && 'reads /proc/net/tcp',
}, async (t) => {
  const { broker, ca } = await startTls(t)
  for (const url of [tcp(broker), webSocket(broker)]) await connect(t, url)
  for (const url of [mqtts(broker), wss(broker)]) await connect(t, url, { ca })
  const ports = [broker.port, broker.tlsPort, broker.wsPort, broker.wssPort]
  // Before its last packet is acknowledged, a connection has another timer.
  await until(() => ports.every((port) => keptAlive().has(Number(port))), 'a timer on each port')
})
