// The same with MQTT.js alone: what "keep until the device ack" takes, in one page. It keeps events in memory only.
import mqtt from 'mqtt'

const deviceId = 'node-2'
const boot = Date.now().toString(36)
const resendAfterMs = 10_000
const waiting = new Map() // event id → { json, sentAtMs }
let seq = 0

const client = mqtt.connect(process.env.MQTT_URL ?? 'mqtt://127.0.0.1:1883', {
  clientId: deviceId, // an account of a device is bound to it
  username: process.env.MQTT_USERNAME,
  password: process.env.MQTT_PASSWORD,
})

client.on('error', (error) => console.warn(error.message || error.code))
client.on('connect', async () => {
  await client.subscribeAsync(`qs/v1/${deviceId}/acks`, { qos: 1 })
  for (const event of waiting.values()) event.sentAtMs = Number.NEGATIVE_INFINITY // all of them, now
})

client.on('message', (_topic, payload) => {
  for (const deviceAck of [JSON.parse(payload.toString())].flat()) {
    if (deviceAck.status === 'rejected') console.warn(deviceAck.error) // a dead letter now; no use in sending again
    if (waiting.delete(deviceAck.event_id)) console.log(deviceAck.status, deviceAck.event_id)
  }
})

setInterval(() => {
  const event_id = `${deviceId}-${boot}-${String(seq++).padStart(9, '0')}`
  const ts_device = new Date().toISOString()
  const event = {
    schema: 1,
    event_id,
    device_id: deviceId,
    event_type: 'temp',
    value: 21.5,
    unit: 'C',
    ts_device,
  }
  // Serialized once: sent again, it is the same text and therefore the same event.
  waiting.set(event_id, { json: JSON.stringify(event), sentAtMs: Number.NEGATIVE_INFINITY })
}, 1_000)

setInterval(() => {
  const now = performance.now()
  const due = [...waiting.values()].filter(({ sentAtMs }) => now - sentAtMs >= resendAfterMs).slice(0, 100)
  if (due.length === 0 || !client.connected) return
  for (const event of due) event.sentAtMs = now
  client.publish(`qs/v1/${deviceId}/events`, `[${due.map(({ json }) => json).join()}]`, { qos: 1 })
}, 250)
