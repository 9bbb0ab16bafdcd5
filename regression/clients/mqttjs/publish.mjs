// Publishes numbered events with MQTT.js and prints the id of each event that is confirmed. A new client for each
// connection: MQTT.js 5, when it reconnects by itself, may take the PUBACK of one message for that of another.
import mqtt from 'mqtt'

const [port, level, qos, device] = process.argv.slice(2)
const WINDOW = 100
const waiting = new Map()
let sent = 0
let hasEnded = false
let client

function connect() {
  const mine = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    clientId: device,
    protocolVersion: Number(level),
    keepalive: 5,
    reconnectPeriod: 0,
  })
  client = mine
  mine.on('error', () => {})
  mine.on('connect', () => {
    for (const id of waiting.keys()) publish(mine, id)
  })
  mine.on('close', () => mine === client && setTimeout(connect, 200))
}

function publish(mine, id) {
  mine.publish(`qs/v1/${device}/events`, waiting.get(id), { qos: Number(qos) }, (error) => {
    if (error || mine !== client || !waiting.delete(id)) return
    if (qos !== '0') console.log(id)
  })
}

process.stdin.on('end', () => (hasEnded = true)).resume()
connect()
setInterval(() => {
  if (hasEnded) {
    if (waiting.size > 0) return
    console.log(`sent ${sent}`)
    client.end(false, () => process.exit(0))
    client = null
    hasEnded = false
    return
  }
  if (client === null || waiting.size >= WINDOW || (qos === '0' && !client.connected)) return
  const id = `${device}-${sent}`
  const event = { schema: 1, event_id: id, device_id: device, event_type: 't', value: sent++ }
  waiting.set(id, JSON.stringify(event))
  if (client.connected) publish(client, id)
}, 20)
