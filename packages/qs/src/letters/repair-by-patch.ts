import { isUtf8 } from 'node:buffer'
import type { ClientBase } from 'pg'
import type { Config } from '../config/settings.ts'
import { addHistory } from './letter-history.ts'
import { type LetterProblem, letterProblems } from './letter-problems.ts'
import { patchPayload } from './merge-payload.ts'
import type { ReplayableLetter } from './take-letters.ts'

export interface PatchOptions {
  readonly config: Config
  /** A JSON merge patch (RFC 7396), as text: its digits count. Of an array it changes each element. */
  readonly merge: string
  /** Only say what would become of each. */
  readonly dryRun: boolean
}

export interface Patched {
  readonly id: string
  /** `ready`: nothing is wrong with it any more. `skipped`: it was replayed with success before. */
  readonly result: 'ready' | 'wrong' | 'skipped'
  readonly isChanged: boolean
  readonly problems: readonly LetterProblem[]
}

/** The same repair for one of many letters. A second run finds it done: a letter that the patch does not change gets no new repair. */
export async function patchLetter(
  database: ClientBase,
  letter: ReplayableLetter,
  { config, merge, dryRun }: PatchOptions,
): Promise<Patched> {
  const { id, payload: before, repairedDeviceId } = letter
  if (letter.isDone) return { id, result: 'skipped', isChanged: false, problems: [] }
  const payload = merged(before, merge)
  const isChanged = !payload.equals(before)
  if (isChanged && !dryRun) {
    const nothing = { outcome: null, code: null, detail: null }
    await addHistory(database, id, { action: 'repaired', deviceId: repairedDeviceId, payload, ...nothing })
  }
  const problems = await letterProblems(database, { ...letter, payload }, config)
  return { id, result: problems.length === 0 ? 'ready' : 'wrong', isChanged, problems }
}

/** A payload that is not JSON in UTF-8 has no fields to change: it stays, and what is wrong with it is among its problems. */
function merged(payload: Buffer, patch: string): Buffer {
  if (!isUtf8(payload)) return payload
  try {
    const before: unknown = JSON.parse(payload.toString())
    const after = patchPayload(payload.toString(), patch)
    // Only the spelling is another: that is no repair.
    return patchPayload(payload.toString(), '{}') === after && before !== null ? payload : Buffer.from(after)
  } catch {
    return payload
  }
}
