import { type Attack, fell, held } from '../attack.ts'
import { converse } from '../conversation.ts'

const [PER_MESSAGE, BEYOND] = [500, 50]

/** A counter in the event type: each type of a device is a series, and lists show series. */
export const counterInType: Attack = {
  name: 'counter-in-type',
  about: 'A board puts a counter into its event type',
  run: async ({ attacker, config }) => {
    const limit = config.LIMIT_EVENT_TYPES
    const { peer, tell } = await converse(attacker)
    let [stored, rejected] = [0, 0]
    try {
      for (let from = 0; from < limit + BEYOND; from += PER_MESSAGE) {
        const events = Array.from({ length: Math.min(PER_MESSAGE, limit + BEYOND - from) }, (_, index) =>
          attacker.event(`${attacker.deviceId}-type-${from + index}`, { event_type: `type-${from + index}` }),
        )
        for (const ack of await tell(`[${events.join(',')}]`)) ack.status === 'stored' ? stored++ : rejected++
      }
    } finally {
      peer.destroy()
    }
    const detail = `${stored} types stored, ${rejected} rejected; LIMIT_EVENT_TYPES is ${limit}`
    return stored <= limit && rejected > 0 ? held(detail) : fell(detail, 'Update the ingester')
  },
}
