import type { DeviceAck } from '@qs-telemetry/protocol'
import { bytesOf, eventCountOf, type OutMessage } from './out-message.ts'

/**
 * Which message a device ack without id is about, of those that are out; null where that is open.
 *
 * With one message out it can only be that one. With several, only the two reasons that have a measure tell: when
 * any of them was too large, the largest was. (It may be that the ingester meant another and has not come to the largest
 * yet; what is said of the largest is true all the same.)
 */
export function suspectOf(out: readonly OutMessage[], deviceAck: DeviceAck): OutMessage | null {
  if (out.length === 1) return out[0] ?? null
  switch (deviceAck.error?.code) {
    case 'MESSAGE_TOO_LARGE':
      return largest(out, bytesOf)
    case 'TOO_MANY_EVENTS': {
      const longest = largest(out, eventCountOf)
      return longest !== null && eventCountOf(longest) > 1 ? longest : null
    }
    default:
      return null
  }
}

function largest(
  messages: readonly OutMessage[],
  measure: (message: OutMessage) => number,
): OutMessage | null {
  let best: OutMessage | null = null
  for (const message of messages) if (best === null || measure(message) > measure(best)) best = message
  return best
}
