import type { DeviceAck } from '@qs-telemetry/protocol'
import { bytesOf, eventCountOf, type OutMessage } from './out-message.ts'

/**
 * Which message in flight a device ack without id is about; null where that is open.
 *
 * With one message out it can only be that one. With several, only the two reasons that have a measure tell: when
 * any of them was too large, the largest was.
 */
export function suspectOf(
  inFlight: Iterable<OutMessage>,
  deviceAck: DeviceAck,
  onlyOneOut: boolean,
): OutMessage | null {
  const messages = [...inFlight]
  if (onlyOneOut) return messages[0] ?? null
  switch (deviceAck.error?.code) {
    case 'MESSAGE_TOO_LARGE':
      return largest(messages, bytesOf)
    case 'TOO_MANY_EVENTS':
      return largest(messages, eventCountOf)
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
