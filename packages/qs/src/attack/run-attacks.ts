import { reasonOf } from '../errors/reason-of.ts'
import { type Attack, fell, type Target, type Verdict } from './attack.ts'
import type { Experience } from './honest-device.ts'

/** One attack with its verdict, and what the honest device experienced meanwhile. */
export interface AttackResult {
  readonly attack: Attack
  readonly verdict: Verdict
  readonly experience: Experience
}

/**
 * Runs attacks one after the other while an honest device sends. The system holds against an attack if the attack's own
 * check passes and no event of the honest device waits longer than `target.maxWaitMs` for its device ack. Ends early if
 * the honest device no longer gets acks.
 */
export async function* runAttacks(attacks: readonly Attack[], target: Target): AsyncGenerator<AttackResult> {
  for (const attack of attacks) {
    const { result, experience } = await target.honest.during(() => attempt(attack, target))
    yield { attack, experience, verdict: judge(result, experience, target.maxWaitMs) }
    // Further attacks could not be judged.
    if (!Number.isFinite(experience.slowestMs)) return
  }
}

/** An error in an attack is a finding: the server violated the standard or the contract. */
async function attempt(attack: Attack, target: Target): Promise<Verdict> {
  try {
    return await attack.run(target)
  } catch (error) {
    return fell(reasonOf(error), 'See the logs of broker and ingester')
  }
}

function judge(verdict: Verdict, { slowestMs }: Experience, maxWaitMs: number): Verdict {
  if (verdict.kind !== 'held' || slowestMs <= maxWaitMs) return verdict
  const waited = Number.isFinite(slowestMs)
    ? `waited ${(slowestMs / 1000).toFixed(1)} s for a device ack`
    : 'got no device ack'
  return fell(
    `${verdict.detail}; meanwhile another device ${waited}`,
    'Check the load of broker and database',
  )
}
