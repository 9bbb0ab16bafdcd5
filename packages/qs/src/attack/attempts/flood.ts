import { setTimeout as delay } from 'node:timers/promises'
import { type Attack, held, type Target } from '../attack.ts'
import { publish } from '../peer.ts'

const FLOOD_MS = 5_000
/** Enough in the socket to keep the broker busy. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024
/** For a broker that cannot slow a board down: what the ingester handles on a small machine besides other load. */
const OTHER_BROKER_BYTES_PER_SECOND = 1024 * 1024

/**
 * One board sends as fast as the broker reads, while the harness watches the honest device. Only the broker of `qs up`
 * slows down a board that exceeds its budget, so the flood is paced with any other broker.
 */
function flood(name: string, about: string, payloadOf: (target: Target) => string): Attack {
  return {
    name,
    about,
    run: async (target) => {
      const { attacker, config } = target
      const payload = payloadOf(target)
      const bytesPerMs =
        config.MQTT_URL === null ? Number.POSITIVE_INFINITY : OTHER_BROKER_BYTES_PER_SECOND / 1_000
      const peer = await attacker.connect()
      let messages = 0
      try {
        const startMs = performance.now()
        for (let ms = 0; ms < FLOOD_MS && !peer.isClosed; ms = performance.now() - startMs) {
          const isAhead = messages * payload.length > ms * bytesPerMs
          if (isAhead || peer.unsentBytes > MAX_UNSENT_BYTES) await delay(5)
          else peer.send(publish(attacker.eventsTopic, payload, 1, (messages++ % 60_000) + 1))
          if (messages % 64 === 0) await delay(0)
        }
      } finally {
        peer.destroy()
      }
      const megabytes = (messages * payload.length) / 1024 / 1024
      return held(`${messages} messages, ${megabytes.toFixed(0)} MiB in ${FLOOD_MS / 1000} s`)
    },
  }
}

export const floodOfRefusals = flood(
  'flood-of-refusals',
  'A board sends [0,0,0,…] as fast as it can',
  () => `[${Array(1_000).fill(0).join(',')}]`,
)

export const floodOfEvents = flood(
  'flood-of-events',
  'A board sends one event over and over',
  ({ attacker }) => attacker.event(`${attacker.deviceId}-flood`, { value: 1 }),
)
