import type { DeviceAck, Instant } from '@qs-telemetry/protocol'
import type { Outcome } from '../pipeline/message.ts'
import type { Injected } from './injections.ts'
import { instantOf } from './judge-letter.ts'
import type { AckInbox } from './replay-letter.ts'

/**
 * Replays within the process: the payload enters the pipeline as if the broker had delivered it, and the device acks
 * are returned here as well. The console therefore needs no account that may publish for devices.
 */
export function injectedAcks(
  inject: (topic: string, payload: Buffer, receivedAt: Instant | null) => Promise<Injected>,
): AckInbox {
  return {
    keepsReceiveTime: true,
    publish: async ({ topic, payload, receivedAt }, { timeoutMs }) => {
      const at = receivedAt === null ? null : instantOf(receivedAt)
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<null>((resolve) => {
        timer = setTimeout(() => resolve(null), timeoutMs)
      })
      const end = await Promise.race([inject(topic, payload, at), late])
      clearTimeout(timer)
      return end === null ? null : acksOf(end)
    },
  }
}

function acksOf({ message, outcomes }: Injected): readonly DeviceAck[] {
  return Array.from({ length: message.size }, (_, index) => ackOf(message.eventIdAt(index), outcomes[index]))
}

function ackOf(eventId: string | null, outcome: Outcome | undefined): DeviceAck {
  if (outcome === undefined) throw new Error('A committed message has an element without an outcome')
  if (outcome.kind !== 'rejection')
    return { event_id: eventId, status: outcome.kind, ts_server: outcome.tsServer }
  return { event_id: eventId, status: 'rejected', error: { code: outcome.code, message: outcome.message } }
}
