import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'

const run = promisify(execFile)
const EVENTS = 'qs/v1/test-device/events'

const PAHO = `
import json, queue, sys
import paho.mqtt.client as mqtt
port, version, qos = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
acks = queue.Queue()
args = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []
client = mqtt.Client(*args, client_id="paho", protocol=version)
client.on_message = lambda c, u, m: acks.put(json.loads(m.payload))
subscribed = queue.Queue()
client.on_subscribe = lambda *a: subscribed.put(True)
client.connect("127.0.0.1", port)
client.loop_start()
client.subscribe("qs/v1/paho/acks", 1)
subscribed.get(timeout=5)
event = {"schema": 1, "event_id": f"paho-{version}-{qos}", "device_id": "paho", "event_type": "t", "value": "é"}
client.publish("qs/v1/paho/events", json.dumps(event), qos=qos).wait_for_publish()
print(acks.get(timeout=10)["status"])
`

const mosquittoPubMissing = mosquittoMissing || missing('mosquitto_pub')
const pahoMissing = mosquittoMissing || missing('/usr/bin/python3', '-c', 'import paho.mqtt.client')

test('mosquitto_pub, MQTT 3.1.1 and 5, QoS 0, 1 and 2', { skip: mosquittoPubMissing }, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url)
  const { next } = await listen(t, broker.url)
  for (const version of ['mqttv311', 'mqttv5']) {
    for (const qos of ['0', '1', '2']) {
      const message = `{"schema":1,"event_id":"${version}-${qos}","device_id":"test-device","event_type":"test","value":42}`
      await run('mosquitto_pub', [
        '-p',
        String(broker.port),
        '-V',
        version,
        '-q',
        qos,
        '-t',
        EVENTS,
        '-m',
        message,
      ])
      const ack = (await next('qs/v1/test-device/acks')) as { event_id: string; status: string }
      assert.deepEqual([ack.event_id, ack.status], [`${version}-${qos}`, 'stored'])
    }
  }
  assert.deepEqual(await query('select count(*)::int as n, sum(value_num)::int as sum from events'), [
    { n: 6, sum: 252 },
  ])
})

test('MQTT.js over WebSocket, MQTT 3.1.1 and 5', { skip: mosquittoMissing }, async (t) => {
  const broker = await startMosquitto(t)
  await startPipeline(t, broker.url)
  for (const protocolVersion of [4, 5] as const) {
    const { client, next } = await listen(t, broker.wsUrl, { protocolVersion })
    const message = {
      schema: 1,
      event_id: `ws-${protocolVersion}`,
      device_id: `ws${protocolVersion}`,
      event_type: 't',
    }
    await client.publishAsync(`qs/v1/ws${protocolVersion}/events`, JSON.stringify(message), { qos: 1 })
    assert.equal(((await next(`qs/v1/ws${protocolVersion}/acks`)) as { status: string }).status, 'stored')
  }
})

test('Python paho, MQTT 3.1.1 and 5, QoS 0, 1 and 2', { skip: pahoMissing }, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url)
  for (const version of ['4', '5']) {
    for (const qos of ['0', '1', '2']) {
      const { stdout } = await run('/usr/bin/python3', ['-c', PAHO, String(broker.port), version, qos])
      assert.equal(stdout.trim(), 'stored')
    }
  }
  assert.deepEqual(await query('select distinct value_text from events'), [{ value_text: 'é' }])
})
