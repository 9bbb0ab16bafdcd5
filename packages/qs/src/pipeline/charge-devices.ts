import type { Amounts, DeviceBudgets } from './device-budgets.ts'
import type { BatchResult, Message, Outcome } from './message.ts'

/**
 * Charges an arriving message and returns for how many milliseconds its client is not read. An event is charged to the
 * device of its topic, anything else to the client, under a name that no device can have: a client chooses its own id
 * and must not use up the budget of a device.
 *
 * @param deviceIdOf returns null for any topic other than an event topic
 */
export function arrivalCharge(budgets: DeviceBudgets, deviceIdOf: (topic: string) => string | null) {
  return (clientId: string, topic: string | null, bytes: number): number => {
    const deviceId = topic === null ? null : deviceIdOf(topic)
    return budgets.charge(deviceId ?? `client/${clientId}`, { messages: 1, bytes }, performance.now())
  }
}

export interface ChargeOptions {
  readonly budgets: DeviceBudgets
  /** The embedded broker has charged messages and bytes on arrival already. */
  readonly areArrivalsCharged: boolean
  readonly nowMs: number
}

/** Charges each device for its share of a committed batch. */
export function chargeDevices(
  batch: readonly Message[],
  result: BatchResult,
  { budgets, areArrivalsCharged, nowMs }: ChargeOptions,
): void {
  for (let index = 0; index < batch.length; index++) {
    const { deviceId, delivery } = batch[index] as Message
    if (deviceId === null) continue
    const outcomes = result[index] ?? []
    const rejections = rejectionsIn(outcomes)
    const amounts: Amounts = {
      messages: areArrivalsCharged ? 0 : 1,
      bytes: areArrivalsCharged ? 0 : delivery.payload.length,
      events: Math.max(outcomes.length, rejections),
      rejections,
    }
    budgets.charge(deviceId, amounts, nowMs)
  }
}

/** An array rejected as a whole counts with all of its elements: each of them was examined. */
function rejectionsIn(outcomes: readonly Outcome[]): number {
  let count = 0
  for (const outcome of outcomes) if (outcome.kind === 'rejection') count += outcome.elements ?? 1
  return count
}
