import type { Amounts, DeviceBudgets } from './device-budgets.ts'
import type { BatchResult, Message, Outcome } from './message.ts'
import { sameAsBefore } from './same-as-before.ts'

/**
 * Charges what arrives from a client and returns for how many milliseconds its client is not read. An event is charged to the
 * device of its topic, anything else to the client, under a name that no device can have: a client chooses its own id
 * and must not use up the budget of a device.
 *
 * @param deviceIdOf returns null for any topic other than an event topic
 * @returns a function of the client, the topic (null: none that it may publish to) and what it has sent
 */
export function arrivalCharge(budgets: DeviceBudgets, deviceIdOf: (topic: string) => string | null) {
  const idOf = sameAsBefore(deviceIdOf)
  return (clientId: string, topic: string | null, spent: Pick<Amounts, 'messages' | 'bytes'>): number => {
    const deviceId = topic === null ? null : idOf(topic)
    return budgets.charge(deviceId ?? `client/${clientId}`, spent, performance.now())
  }
}

export interface ChargeOptions {
  readonly budgets: DeviceBudgets
  /** The embedded broker has charged messages and bytes on arrival already. */
  readonly areArrivalsCharged: boolean
  readonly nowMs: number
}

/** Charges each device for its share of a committed batch, and messages that follow each other together. */
export function chargeDevices(
  batch: readonly Message[],
  result: BatchResult,
  { budgets, areArrivalsCharged, nowMs }: ChargeOptions,
): void {
  for (let index = 0; index < batch.length; ) {
    const { deviceId } = batch[index] as Message
    const spent = { messages: 0, bytes: 0, events: 0, rejections: 0 }
    for (; batch[index]?.deviceId === deviceId; index++) {
      const outcomes = result[index] ?? []
      const rejections = rejectionsIn(outcomes)
      spent.events += Math.max(outcomes.length, rejections)
      spent.rejections += rejections
      if (areArrivalsCharged) continue
      spent.messages++
      spent.bytes += batch[index]?.delivery.payload.length ?? 0
    }
    if (deviceId !== null) budgets.charge(deviceId, spent, nowMs)
  }
}

/** An array rejected as a whole counts with all of its elements: each of them was examined. */
function rejectionsIn(outcomes: readonly Outcome[]): number {
  let count = 0
  for (const outcome of outcomes) if (outcome.kind === 'rejection') count += outcome.elements ?? 1
  return count
}
