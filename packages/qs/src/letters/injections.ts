import type { DeviceAck, Instant } from '@qs-telemetry/protocol'
import { QsError } from '../errors/qs-error.ts'
import type { Delivery } from '../pipeline/delivery.ts'
import type { BatchResult, Message, Outcome } from '../pipeline/message.ts'
import { instantOf } from './judge-letter.ts'
import type { AckInbox } from './replay-letter.ts'

/** An injected message and the outcomes of its elements, at the same index. */
export interface Injected {
  readonly message: Message
  readonly outcomes: readonly Outcome[]
}

/**
 * Messages from within the process instead of the broker: replays of the console. They pass through the whole pipeline,
 * from decode to the device ack, and the sender gets their outcomes.
 */
export class Injections {
  readonly #waiting = new Map<Delivery, (end: Injected) => void>()

  /** Messages in flight that the source does not count. */
  get unsettled(): number {
    return this.#waiting.size
  }

  /** Resolves after COMMIT; never, if the pipeline ends before that. */
  deliver(
    delivery: Omit<Delivery, 'settle' | 'redelivered'>,
    push: (delivery: Delivery) => void,
  ): Promise<Injected> {
    return new Promise((resolve) => {
      const whole: Delivery = { ...delivery, redelivered: false, settle: () => this.#waiting.delete(whole) }
      this.#waiting.set(whole, resolve)
      push(whole)
    })
  }

  /** Called after COMMIT and before the messages are settled. */
  look(batch: readonly Message[], result: BatchResult): void {
    if (this.#waiting.size === 0) return
    for (const [index, message] of batch.entries()) {
      this.#waiting.get(message.delivery)?.({ message, outcomes: result[index] ?? [] })
    }
  }
}

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
  if (outcome === undefined)
    throw new QsError('INTERNAL_ERROR', 'A committed message has an element without an outcome')
  if (outcome.kind !== 'rejection')
    return { event_id: eventId, status: outcome.kind, ts_server: outcome.tsServer }
  return { event_id: eventId, status: 'rejected', error: { code: outcome.code, message: outcome.message } }
}
