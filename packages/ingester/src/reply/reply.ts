import { ackTopic } from '@qs-telemetry/protocol'
import { lettersOf } from '../pipeline/letter.ts'
import type { Message } from '../pipeline/message.ts'
import type { BatchResult } from '../pipeline/outcome.ts'
import type { Publisher } from '../pipeline/publisher.ts'
import { deadLetterJson } from './dead-letter.ts'
import { deviceAckPayloads } from './device-ack.ts'

export interface ReplyOptions {
  readonly publisher: Publisher
  readonly ackTemplate: string
  readonly ackQos: 0 | 1
  readonly deadLetterTopic: string
}

/**
 * Tells the world what became of a batch that is committed: to each device its ack, to whoever watches the dead
 * letters, and last to the broker that the message is done with.
 */
export function reply(batch: readonly Message[], result: BatchResult, options: ReplyOptions): void {
  const { publisher, ackTemplate, ackQos, deadLetterTopic } = options
  for (const [index, message] of batch.entries()) {
    const outcomes = result[index] ?? []
    if (message.deviceId !== null) {
      const topic = ackTopic(ackTemplate, message.deviceId)
      for (const json of deviceAckPayloads(message, outcomes, publisher.maxPayloadBytes)) {
        publisher.publish(topic, json, ackQos)
      }
    }
    for (const letter of lettersOf(message, outcomes)) {
      publisher.publish(deadLetterTopic, deadLetterJson(letter, publisher.maxPayloadBytes), 1)
    }
    message.delivery.settle()
  }
}
