import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { generate, type Packet } from 'mqtt-packet'
import { connect, received, start, tcp } from './connecting.ts'
import { connectedRaw, publishPacket, type RawClient, v5 } from './raw-client.ts'

/** More than fit into 64 MiB: each takes 1.3 KB of memory, of which its bytes are the least. */
const TOO_MANY = 60_000
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

test('beyond the limit of retained messages, MQTT 5 is refused; with 3.1.1 a message reaches its subscribers only', async (t) => {
  const { log, records } = silentLog()
  const broker = await start(t, { log })
  const client = await connectedRaw(t, broker)
  client.send(...Array.from({ length: TOO_MANY }, (_, n) => generate(retained(`t/${n}`, 0), v5)))
  assert.equal(await reasonOf(client, retained('t/1')), 0, 'one may be replaced')
  const before = broker.unretained.count
  assert.ok(before > 0 && before < TOO_MANY / 2, `${before} are not retained`)
  assert.equal(await reasonOf(client, retained('more')), QUOTA_EXCEEDED)

  const watcher = await connect(t, tcp(broker))
  const live = received(watcher)
  await watcher.subscribeAsync('more')
  const older = await connect(t, tcp(broker), { protocolVersion: 4 })
  await older.publishAsync('more', 'from 3.1.1', { qos: 1, retain: true })
  client.send(retained('more', 0, 'QoS 0'))
  await until(() => live.length === 2, 'both reach the subscriber')
  assert.deepEqual(live, ['more: from 3.1.1', 'more: QoS 0'])
  assert.equal(broker.unretained.count, before + 3)
  assert.equal(records.filter(({ msg }) => msg.includes('was not retained: 100,000 messages')).length, 1)

  for (const topic of ['t/2', 't/3']) assert.equal(await reasonOf(client, retained(topic, 1, '')), 0)
  assert.equal(await reasonOf(client, retained('more', 1, 'has room')), 0)
  const late = await connect(t, tcp(broker))
  const found = received(late)
  await late.subscribeAsync(['more', 't/1', 't/2'])
  await until(() => found.length === 2, 'what is retained')
  assert.deepEqual(found.toSorted(), ['more: has room', 't/1: x'])
})

test('each level of a topic counts for the memory that it takes', async (t) => {
  const broker = await start(t)
  const client = await connectedRaw(t, broker)
  // As deep as a topic may be: 100 levels of 400 bytes.
  const deep = Array.from({ length: 2_000 }, (_, n) => generate(retained(`${n}${'/'.repeat(99)}`, 0), v5))
  client.send(...deep)
  assert.equal(await reasonOf(client, retained(`more${'/'.repeat(99)}`)), QUOTA_EXCEEDED)
  const kept = deep.length + 1 - broker.unretained.count
  assert.ok(kept > 1_600 && kept < 1_680, `${kept} are retained`)
})
