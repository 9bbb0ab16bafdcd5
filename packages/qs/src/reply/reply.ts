import type { DeadLetterCode } from '@qs-telemetry/protocol'
import type { Publisher } from '../pipeline/delivery.ts'
import { lettersOf } from '../pipeline/letter.ts'
import type { BatchResult, Message, Outcome } from '../pipeline/message.ts'
import { deadLetterJson } from './dead-letter.ts'
import { deviceAckPayloads } from './device-ack.ts'

export interface ReplyOptions {
  readonly publisher: Publisher
  readonly ackTopicOf: (deviceId: string) => string
  readonly ackQos: 0 | 1
  readonly deadLetterTopic: string
  /** A message could not be answered, which is an internal error. */
  readonly onFault: (error: unknown) => void
}

/**
 * Replies to a committed batch: publishes the device acks and the dead letters of each message, then settles it. A
 * message is settled even if publishing fails: a device without its ack sends again, and a redelivered message would
 * only fail again.
 */
export function reply(batch: readonly Message[], result: BatchResult, options: ReplyOptions): void {
  for (let index = 0; index < batch.length; index++) {
    const message = batch[index] as Message
    try {
      if (!message.delivery.withoutReply) tell(message, result[index] ?? [], options)
    } catch (error) {
      options.onFault(error)
    }
    message.delivery.settle(refusalOf(result[index] ?? []))
  }
}

/** The code of the first rejection if all elements are rejected. */
function refusalOf(outcomes: readonly Outcome[]): DeadLetterCode | null {
  const [first] = outcomes
  if (first?.kind !== 'rejection') return null
  return outcomes.every(({ kind }) => kind === 'rejection') ? first.code : null
}

function tell(message: Message, outcomes: readonly Outcome[], options: ReplyOptions): void {
  const { publisher, ackTopicOf, ackQos, deadLetterTopic } = options
  const { deviceId } = message
  const topic = deviceId === null ? null : ackTopicOf(deviceId)
  if (topic !== null && publisher.isHeard(topic)) {
    for (const json of deviceAckPayloads(message, outcomes, { topic, maxBytes: publisher.maxPayloadBytes })) {
      publisher.publish(topic, json, ackQos)
    }
  }
  const letters = lettersOf(message, outcomes)
  if (letters.length === 0 || !publisher.isHeard(deadLetterTopic)) return
  for (const letter of letters) {
    publisher.publish(deadLetterTopic, deadLetterJson(letter, publisher.maxPayloadBytes), 1)
  }
}
