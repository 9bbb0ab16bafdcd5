import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import mqtt, { type IClientOptions, type IClientSubscribeOptions, type MqttClient } from 'mqtt'
import { connect, start, tcp } from './connecting.ts'

type Qos = 0 | 1 | 2
const LEVELS = [0, 1, 2] as const

/** Topic and QoS of what the client receives from now on. */
function qosOf(client: MqttClient): readonly string[] {
  const seen: string[] = []
  client.on('message', (topic, _payload, { qos }) => seen.push(`${topic} ${qos}`))
  return seen
}

const FILTERS: Readonly<Record<string, (qos: Qos) => Readonly<Record<string, IClientSubscribeOptions>>>> = {
  'an exact filter': (qos) => ({ 'a/b': { qos } }),
  'a wildcard': (qos) => ({ 'a/+': { qos } }),
  'the widest wildcard': (qos) => ({ '#': { qos } }),
  'overlapping filters': (qos) => ({ '#': { qos: 0 }, 'a/+': { qos }, 'a/b': { qos: 0 } }),
}

for (const protocolVersion of [4, 5] as const) {
  for (const clean of [true, false]) {
    const session = `MQTT ${protocolVersion}, ${clean ? 'clean' : 'durable'} session`
    test(`${session}: each message has the lower of the QoS published and granted [MQTT-3.8.4-6]`, async (t) => {
      const broker = await start(t)
      const publisher = await connect(t, tcp(broker))
      for (const [name, filters] of Object.entries(FILTERS)) {
        for (const granted of LEVELS) {
          const subscriber = await connect(t, tcp(broker), {
            ...{ protocolVersion, clean, clientId: `${name} ${granted}` },
            ...(protocolVersion === 5 && !clean && { properties: { sessionExpiryInterval: 60 } }),
          })
          const seen = qosOf(subscriber)
          await subscriber.subscribeAsync(filters(granted))
          for (const qos of LEVELS) await publisher.publishAsync('a/b', 'x', { qos })
          await until(() => seen.length >= 3, `${name}, granted ${granted}`)
          const expected = LEVELS.map((qos) => `a/b ${Math.min(qos, granted)}`)
          assert.deepEqual(seen.toSorted(), expected.toSorted(), `${name}, granted ${granted}`)
          await subscriber.endAsync()
        }
      }
    })
  }

  test(`MQTT ${protocolVersion}: queued, retained and last-will messages of QoS 2 are lowered too`, async (t) => {
    const broker = await start(t)
    const session: IClientOptions = {
      ...{ protocolVersion, clean: false, clientId: 'durable' },
      ...(protocolVersion === 5 && { properties: { sessionExpiryInterval: 60 } }),
    }
    const before = await connect(t, tcp(broker), session)
    await before.subscribeAsync('q/+', { qos: 1 })
    await before.endAsync()
    const publisher = await connect(t, tcp(broker))
    await publisher.publishAsync('q/queued', 'x', { qos: 2 })
    await publisher.publishAsync('r/retained', 'x', { qos: 2, retain: true })

    const after = mqtt.connect(tcp(broker), { reconnectPeriod: 0, ...session })
    t.after(() => after.end(true))
    const seen = qosOf(after)
    await after.subscribeAsync({ 'r/+': { qos: 1 }, 'w/+': { qos: 1 } })
    const will = { topic: 'w/will', payload: Buffer.from('x'), qos: 2, retain: false } as const
    const lost = await connect(t, tcp(broker), { will })
    lost.stream.destroy()
    await until(() => seen.length === 3, 'queued and retained message, and will')
    assert.deepEqual(seen.toSorted(), ['q/queued 1', 'r/retained 1', 'w/will 1'])
  })
}
