import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { SimulatedDevices } from '../../src/console/simulated-devices.ts'
import { startEmbeddedBroker } from '../../src/embedded/broker/embedded-broker.ts'

test('two concurrent starts begin one simulation: its stop ends every connection', async (t) => {
  const { log } = silentLog()
  const broker = await startEmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    wsPort: 0,
    credentials: null,
    accountsFile: null,
    maxPacketBytes: 1024 * 1024,
    log,
  })
  t.after(() => broker.stop())
  const open = new Set<Socket>()
  const counter = createServer((socket) => {
    open.add(socket)
    const onward = connect(broker.port, '127.0.0.1')
    socket.on('close', () => open.delete(socket) && onward.destroy())
    onward.on('close', () => socket.destroy())
    for (const each of [socket, onward]) each.on('error', () => {})
    socket.pipe(onward).pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(counter, 'listening')
  t.after(() => counter.close())

  const databaseUrl = await migratedDatabase(t)
  const desk = new SimulatedDevices({
    broker: { url: `mqtt://127.0.0.1:${(counter.address() as AddressInfo).port}` },
    config: configOf({}),
    ownerUrl: databaseUrl,
    pipeline: { forgetDevices: () => {} },
  })
  t.after(() => desk.stop())
  await Promise.all([desk.start(), desk.start()])
  await until(() => open.size > 0, 'simulated devices are connected')
  await desk.stop()
  await until(() => open.size === 0, 'every simulated device has left')
})
