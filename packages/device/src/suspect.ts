import type { DeviceAck } from '@qs-telemetry/protocol'
import { bytesOf, eventCountOf, type OutMessage } from './out-message.ts'

/**
 * The message in flight that a device ack without id belongs to; null if that is uncertain.
 *
 * With one message in flight it can only be that one. With several, only the two codes about size help: if any was too
 * large, the largest was. (The ingester may have refused another and not reached the largest yet, which is too large
 * all the same.)
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
