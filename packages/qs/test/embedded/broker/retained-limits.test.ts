import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { generate, type Packet } from 'mqtt-packet'
import { connect, received, start, tcp } from './connecting.ts'
import { connectedRaw, publishPacket, type RawClient, v5 } from './raw-client.ts'

/** The limit of the broker. */
const MOST = 100_000
const QUOTA_EXCEEDED = 0x97

const retained = (topic: string, qos: 0 | 1 = 1, payload = 'x') =>
  ({ ...publishPacket(1, payload, qos), topic, retain: true }) as Packet

/** Publishes with QoS 1. @returns the reason code of the PUBACK */
async function reasonOf(client: RawClient, packet: Packet): Promise<number> {
  const before = client.got.filter(({ cmd }) => cmd === 'puback').length
  client.send(packet)
  const pubacks = await client.wait('puback', before + 1)
  return pubacks[before]?.reasonCode ?? 0
}

test('beyond 100,000 retained messages, MQTT 5 is refused; with 3.1.1 the message reaches its subscribers only', async (t) => {
  const { log, records } = silentLog()
  const broker = await start(t, { log })
  const client = await connectedRaw(t, broker)
  client.send(...Array.from({ length: MOST }, (_, n) => generate(retained(`t/${n}`, 0), v5)))
  assert.equal(await reasonOf(client, retained('t/1')), 0, 'one may be replaced')
  assert.equal(await reasonOf(client, retained('more')), QUOTA_EXCEEDED)

  const watcher = await connect(t, tcp(broker))
  const live = received(watcher)
  await watcher.subscribeAsync('more')
  const older = await connect(t, tcp(broker), { protocolVersion: 4 })
  await older.publishAsync('more', 'from 3.1.1', { qos: 1, retain: true })
  client.send(retained('more', 0, 'QoS 0'))
  await until(() => live.length === 2, 'both reach the subscriber')
  assert.deepEqual(live, ['more: from 3.1.1', 'more: QoS 0'])
  assert.equal(broker.unretained.count, 3)
  assert.equal(records.filter(({ msg }) => msg.includes('was not retained: 100,000 messages')).length, 1)

  assert.equal(await reasonOf(client, retained('t/2', 1, '')), 0, 'one may be removed')
  assert.equal(await reasonOf(client, retained('more', 1, 'has room')), 0)
  const late = await connect(t, tcp(broker))
  const found = received(late)
  await late.subscribeAsync(['more', 't/1', 't/2'])
  await until(() => found.length === 2, 'what is retained')
  assert.deepEqual(found.toSorted(), ['more: has room', 't/1: x'])
})

test('each level of a topic counts for the memory that it takes', async (t) => {
  const broker = await start(t, { maxPacketBytes: 100_000 })
  const client = await connectedRaw(t, broker)
  const reasons: number[] = []
  for (let n = 0; n < 6; n++) reasons.push(await reasonOf(client, retained(`${n}${'/'.repeat(30_000)}`)))
  assert.deepEqual(reasons, [0, 0, 0, 0, 0, QUOTA_EXCEEDED])
})
