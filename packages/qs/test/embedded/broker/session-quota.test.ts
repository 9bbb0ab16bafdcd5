import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import mqtt from 'mqtt'
import { sessionsAlarm } from '../../../src/alarms/broker-alarms.ts'
import { connect, start, tcp } from './connecting.ts'
import { connectedRaw, connectPacket, rawClient } from './raw-client.ts'

const properties = { sessionExpiryInterval: 1_000 }

test('the number of durable sessions per account is limited, and a refusal says why', async (t) => {
  const broker = await start(t, { maxSessionsPerAccount: 2 })
  for (const clientId of ['a', 'b']) {
    const client = await connect(t, tcp(broker), { clientId, clean: false })
    await client.endAsync()
  }
  const third = { clientId: 'c', clean: false, protocolVersion: 4, reconnectPeriod: 0 } as const
  await assert.rejects(mqtt.connectAsync(tcp(broker), third, false), /Server unavailable/)
  const five = rawClient(t, broker)
  five.send(connectPacket({ clientId: 'd', clean: true, properties }))
  const [connack] = await five.wait('connack')
  assert.equal(connack?.reasonCode, 0x97)
  assert.equal(broker.sessionsRefused.refused, 2)
  const alarm = sessionsAlarm(() => broker.sessionsRefused).check(performance.now())
  assert.match(alarm ?? '', /refused 2 durable sessions.*"d" of the operator.*MQTT_MAX_SESSIONS_PER_ACCOUNT/)

  await connect(t, tcp(broker), { clientId: 'clean' })
  const again = await connect(t, tcp(broker), { clientId: 'a', clean: false })
  await again.endAsync()
  // A clean start ends the session and makes room.
  const ended = await connect(t, tcp(broker), { clientId: 'a', clean: true })
  await ended.endAsync()
  await connect(t, tcp(broker), { clientId: 'c', clean: false })
})

test('a clean start of a durable session keeps its slot, and an expired one frees it', async (t) => {
  const broker = await start(t, { maxSessionsPerAccount: 1 })
  for (let n = 0; n < 3; n++) {
    const client = await connectedRaw(t, broker, { clientId: 'a', clean: true, properties })
    assert.equal(client.got.length, 1)
    if (n === 2)
      client.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 1 } } as never)
    else client.destroy()
  }
  const isIn = async () => {
    const other = await connectedRaw(t, broker, { clientId: 'b', clean: true, properties })
    return other.got[0]?.cmd === 'connack' && other.got[0].reasonCode === 0
  }
  await until(isIn, 'another one has its place')
})
