import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import { DEFAULT_IN_FLIGHT } from '../../packages/qs/src/config/default-in-flight.ts'
import { Crowd } from './crowd.ts'
import { openDirectStage } from './direct-stage.ts'
import { goodItem } from './item.ts'
import { scale } from './scale.ts'

const DEVICES = scale(10_000, 2_000)
const MESSAGES = 5
const LIMIT_MS = 120_000

test(`qs up, 256 MB of heap: PostgreSQL is away under ${DEVICES} connections, which stay; PINGREQ is answered and other topics flow`, async (t) => {
  const stage = await openDirectStage(t, {
    fault: `PostgreSQL away under ${DEVICES} connections with ${MESSAGES} events each, 256 MB of heap`,
    fleet: { devices: 2, eventsPerSecond: 10, resendAfterMs: 300_000 },
    settings: {
      NODE_OPTIONS: '--max-old-space-size=256',
      MQTT_MAX_CONNECTIONS: '20000',
      MQTT_MAX_CONNECTIONS_PER_ADDRESS: '20000',
    },
    maxMemoryMb: 600,
  })
  const port = stage.port
  await stage.more(50)
  const crowd = await Crowd.open(t, { port, devices: DEVICES })
  const sittingMb = stage.ingester.memory()?.residentMb ?? 0

  await stage.postgres.stop()
  for (let n = 0; n < DEVICES; n++) {
    for (let k = 1; k <= MESSAGES; k++) {
      const event = goodItem(crowd.deviceId(n), k)
      stage.sentBeside(event)
      crowd.publish(n, k, event)
    }
  }
  // The others wait in their connections.
  const most = Math.min(DEVICES * MESSAGES, 2 * DEFAULT_IN_FLIGHT.up)
  const isFull = async () => ((await stage.ingester.gauges())?.messagesInFlight ?? 0) >= most
  await until(isFull, 'the pipeline is full', LIMIT_MS)
  for (let n = 0; n < DEVICES; n++) crowd.ping(n)
  await until(() => crowd.pingresps === DEVICES, 'every connection has its PINGRESP', LIMIT_MS)
  await otherTopicsFlow(port)
  const waitingMb = stage.ingester.memory()?.residentMb ?? 0
  t.diagnostic(
    `${Math.round(sittingMb)} MB with idle connections, ${Math.round(waitingMb)} MB with all messages waiting`,
  )
  assert.equal(crowd.closed, 0, 'a connection was closed')

  await stage.postgres.start()
  await until(() => crowd.pubacks === DEVICES * MESSAGES, 'every message has its PUBACK', LIMIT_MS)
  await stage.finish({ quietMs: LIMIT_MS })
  assert.equal(crowd.closed, 0, 'a connection was closed')
})

async function otherTopicsFlow(port: number): Promise<void> {
  const url = `mqtt://127.0.0.1:${port}`
  const [listener, sender] = [await connectAsync(url), await connectAsync(url)]
  let heard = 0
  listener.on('message', () => heard++)
  await listener.subscribeAsync('commands', { qos: 1 })
  await sender.publishAsync('commands', 'on', { qos: 1 })
  await until(() => heard === 1, 'another topic flows')
  await Promise.all([listener.endAsync(true), sender.endAsync(true)])
}
