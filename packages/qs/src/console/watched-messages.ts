import { ackTopic, type DeadLetterCode, type DeviceAck, instantFromMs } from '@qs-telemetry/protocol'
import { decodeMessage } from '../decode/decode-message.ts'
import type { DecodeOptions } from '../decode/decode-options.ts'
import { type BatchResult, Message, type Outcome } from '../pipeline/message.ts'

/** Maximum number of messages waiting for a device ack; the oldest is dropped first. */
const MAX_WAITING = 1_000

export interface WatchedMessagesOptions {
  readonly decode: DecodeOptions
  readonly ackTemplate: string
  readonly onCommitted: (batch: readonly Message[], result: BatchResult) => void
}

/**
 * Outcomes of messages ingested by another process: each is decoded here and waits for the device ack that the ingester
 * sends after COMMIT. A device ack names its events and not its message, so it belongs to the oldest message of the
 * device with the same events. A message without an ack, as on a topic without a device, has no outcome here.
 */
export class WatchedMessages {
  readonly #options: WatchedMessagesOptions
  readonly #waiting = new Set<Message>()

  constructor(options: WatchedMessagesOptions) {
    this.#options = options
  }

  came(topic: string, payload: Buffer): void {
    const receivedAt = instantFromMs(Date.now())
    const delivery = { topic, payload, redelivered: false, receivedAt, settle: () => {} }
    this.#waiting.add(decodeMessage(delivery, this.#options.decode))
    const [oldest] = this.#waiting
    if (this.#waiting.size > MAX_WAITING && oldest !== undefined) this.#waiting.delete(oldest)
  }

  acked(topic: string, acks: readonly DeviceAck[]): void {
    const { ackTemplate } = this.#options
    for (const message of this.#waiting) {
      const { deviceId } = message
      if (deviceId === null || ackTopic(ackTemplate, deviceId) !== topic || !isOf(message, acks)) continue
      this.#waiting.delete(message)
      const tsServer = acks.find(({ status }) => status === 'stored')?.ts_server ?? message.tsServer
      const stored = new Message({ ...message, elements: message.elements, tsServer }, () => message.elements)
      this.#options.onCommitted([stored], [acks.map(outcomeOf)])
      return
    }
  }
}

function isOf({ elements }: Message, acks: readonly DeviceAck[]): boolean {
  return (
    elements.length === acks.length &&
    elements.every(({ eventId }, index) => eventId === acks[index]?.event_id)
  )
}

function outcomeOf({ status, ts_server: tsServer = '', event_id: eventId, error }: DeviceAck): Outcome {
  if (status !== 'rejected') return { kind: status, tsServer }
  const { code = 'INTERNAL_ERROR', message = '' } = error ?? {}
  return { kind: 'rejection', code: code as DeadLetterCode, message, trace: '', eventId }
}
