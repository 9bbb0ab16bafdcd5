// The same with MQTT.js alone: what "keep until the device ack" takes, in one page. It keeps events in memory only.
import mqtt from 'mqtt'

const deviceId = 'node-2'
const boot = Date.now().toString(36)
const resendAfterMs = 10_000
const waiting = new Map() // event id → { json, sentAtMs }
let seq = 0
let alone = null // the event sent by itself, to find out which one is refused; '' before the first

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
    if (deviceAck.event_id === null) {
      refusedUnnamed(deviceAck.error)
      continue // the acks after it are for other events
    }
    if (deviceAck.status === 'rejected') console.warn(deviceAck.error) // a dead letter now; no use in sending again
    if (forget(deviceAck.event_id)) console.log(deviceAck.status, deviceAck.event_id)
  }
})

function forget(event_id) {
  const isKnown = waiting.delete(event_id)
  if (alone !== null && !waiting.has(alone)) alone = waiting.size > 0 ? '' : null
  return isKnown
}

// A message was refused and no id could be read in it. Sent one by one, the next such ack shows which.
function refusedUnnamed(error) {
  console.warn('rejected', alone ?? '', error)
  if (alone) forget(alone)
  else if (alone === null && waiting.size > 0) {
    alone = ''
    // Not before the acks of messages in flight have arrived.
    for (const event of waiting.values()) event.sentAtMs = performance.now()
  }
}

setInterval(() => {
  const value = 21.5 // put your sensor here
  if (!Number.isFinite(value)) return // JSON has no NaN: it would become null, an event without its value
  const event_id = `${deviceId}-${boot}-${String(seq++).padStart(9, '0')}`
  const ts_device = new Date().toISOString()
  const event = {
    schema: 1,
    event_id,
    device_id: deviceId,
    event_type: 'temp',
    value,
    unit: 'C',
    ts_device,
  }
  // Serialized once: a resend has the same text and is therefore the same event.
  waiting.set(event_id, { json: JSON.stringify(event), sentAtMs: Number.NEGATIVE_INFINITY })
}, 1_000)

setInterval(() => {
  const now = performance.now()
  const due = [...waiting]
    .filter(([id, { sentAtMs }]) => now - sentAtMs >= resendAfterMs && (!alone || id === alone))
    .slice(0, alone === null ? 100 : 1)
  if (due.length === 0 || !client.connected) return
  if (alone !== null) alone = due[0][0]
  for (const [, event] of due) event.sentAtMs = now
  client.publish(`qs/v1/${deviceId}/events`, `[${due.map(([, { json }]) => json).join()}]`, { qos: 1 })
}, 250)
