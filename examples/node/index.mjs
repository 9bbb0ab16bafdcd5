// A device in Node: the client of this repository keeps every event until its device ack, even across a restart.
import { DeviceClient } from '@qs-telemetry/device'

const client = new DeviceClient({
  url: process.env.MQTT_URL ?? 'mqtt://127.0.0.1:1883',
  username: process.env.MQTT_USERNAME,
  password: process.env.MQTT_PASSWORD,
  deviceId: 'node-1',
  journal: { path: './node-1.jsonl' },
  onWarning: (warning) => console.warn('warning:', warning.kind),
})

client.open()
console.log(`${client.counts().waiting} events of an earlier run are waiting`)

const timer = setInterval(async () => {
  const value = Math.round((21 + 3 * Math.sin(Date.now() / 600_000)) * 100) / 100
  try {
    const deviceAck = await client.send({
      event_type: 'temp',
      value,
      unit: 'C',
      ts_device: new Date().toISOString(),
    })
    console.log(deviceAck.status, deviceAck.event_id, value)
  } catch (error) {
    console.warn(error.message) // not accepted: the client is full, or closed
  }
}, 1_000)

process.once('SIGINT', async () => {
  clearInterval(timer)
  const { waiting } = await client.close()
  console.log(`closed; ${waiting} events wait for the next run`)
})
