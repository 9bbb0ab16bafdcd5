import { elementBytes } from '@qs-telemetry/protocol'
import type { Message, Outcome, Rejection } from './message.ts'
import { clean } from './rejection.ts'

/** A dead letter: a rejection with the bytes that it rejects. */
export interface Letter {
  readonly rejection: Rejection
  readonly topic: string
  readonly deviceId: string | null
  readonly receivedAt: string
  /** The message, or the element of its array, as received. */
  readonly payload: Buffer
  /** Index in the array. */
  readonly index: number
  readonly redelivered: boolean
}

const NONE: readonly Letter[] = []

/** The dead letters of a message, given the outcomes of its elements; without those that are only counted. */
export function lettersOf(message: Message, outcomes: readonly (Outcome | undefined)[]): readonly Letter[] {
  // The usual case, on a hot path: this runs twice for every message.
  if (!outcomes.some((outcome) => outcome?.kind === 'rejection')) return NONE
  const { delivery, deviceId, tsServer, shape } = message
  if (delivery.leavesNoLetter) return NONE
  const letters: Letter[] = []
  let bytes: readonly Buffer[] | null = null
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome?.kind !== 'rejection' || outcome.onlyCounted) continue
    bytes ??= shape === 'array' ? elementBytes(delivery.payload, outcomes.length) : [delivery.payload]
    letters.push({
      rejection: outcome,
      topic: clean(delivery.topic),
      deviceId,
      receivedAt: tsServer,
      payload: bytes[index] ?? delivery.payload,
      index,
      redelivered: delivery.redelivered,
    })
  }
  return letters
}
