import { type Attack, fell, type Target, type Verdict } from './attack.ts'
import type { Experience } from './honest-device.ts'

/** One attack with what it came to, and what the honest device went through meanwhile. */
export interface AttackResult {
  readonly attack: Attack
  readonly verdict: Verdict
  readonly experience: Experience
}

/**
 * Runs attacks one after the other while an honest device sends. An attack holds where its own check does, and where
 * no event of the honest device waited longer for its device ack than `maxWaitMs`. Ends early where the honest device
 * has no ack at all any more.
 */
export async function* runAttacks(
  attacks: readonly Attack[],
  target: Target,
  maxWaitMs: number,
): AsyncGenerator<AttackResult> {
  for (const attack of attacks) {
    const { result, experience } = await target.honest.during(() => attempt(attack, target))
    yield { attack, experience, verdict: judge(result, experience, maxWaitMs) }
    // Nothing can be said of the attacks that would follow.
    if (!Number.isFinite(experience.slowestMs)) return
  }
}

/** An attack that breaks off has found something: the server did not do what the standard or the contract says. */
async function attempt(attack: Attack, target: Target): Promise<Verdict> {
  try {
    return await attack.run(target)
  } catch (error) {
    return fell((error as Error).message, 'See the logs of broker and ingester')
  }
}

function judge(verdict: Verdict, { slowestMs }: Experience, maxWaitMs: number): Verdict {
  if (verdict.kind !== 'held' || slowestMs <= maxWaitMs) return verdict
  const waited = Number.isFinite(slowestMs)
    ? `waited ${(slowestMs / 1000).toFixed(1)} s for a device ack`
    : 'had no device ack'
  return fell(
    `${verdict.detail}; meanwhile another device ${waited}`,
    'Look at the load of broker and database',
  )
}
