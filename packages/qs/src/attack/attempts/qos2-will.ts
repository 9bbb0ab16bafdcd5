import { setTimeout as delay } from 'node:timers/promises'
import { type Attack, fell, held } from '../attack.ts'

const PATIENCE_MS = 8_000

/** When a connection breaks without DISCONNECT, the broker publishes its will [MQTT-3.1.2-8]. */
export const qos2Will: Attack = {
  name: 'qos2-will',
  about: 'A board leaves a will with QoS 2 on its events topic',
  run: async ({ attacker, database, maxWaitMs }) => {
    const eventId = `${attacker.deviceId}-will`
    const payload = Buffer.from(attacker.event(eventId))
    const peer = await attacker.connect({
      will: { topic: attacker.eventsTopic, payload, qos: 2, retain: false },
    })
    peer.destroy()
    const patienceMs = Math.max(PATIENCE_MS, maxWaitMs)
    const deadline = performance.now() + patienceMs
    while (performance.now() < deadline) {
      const { rowCount } = await database.query('select 1 from events where event_id = $1', [eventId])
      if (rowCount === 1) return held('stored')
      await delay(100)
    }
    return fell(
      `the will was not stored within ${patienceMs / 1000} s`,
      'See the log of the ingester and of the broker',
    )
  },
}
