import { isUtf8 } from 'node:buffer'
import type { ClientBase } from 'pg'
import type { Config } from '../config/settings.ts'
import type { StoredLetter } from './find-letter.ts'
import { addHistory, type HistoryEntry, lastRepair } from './letter-history.ts'
import { type LetterProblem, letterProblems } from './letter-problems.ts'
import { patchPayload } from './merge-payload.ts'
import type { ReplayableLetter } from './take-letters.ts'

/** A letter after its last repair, or as received. */
export interface LetterNow {
  readonly payload: Buffer
  /** The device set by a repair. */
  readonly repairedDeviceId: string | null
}

export async function letterNow(database: ClientBase, { id, payload }: StoredLetter): Promise<LetterNow> {
  const repair = await lastRepair(database, id)
  return { payload: repair?.payload ?? payload, repairedDeviceId: repair?.deviceId ?? null }
}

export interface Repair {
  /** Returns the new payload; gets that of the previous repair. */
  readonly change: (before: Buffer) => Buffer
  /** null: unchanged. */
  readonly deviceId: string | null
}

export interface Repaired {
  readonly isChanged: boolean
  readonly problems: readonly LetterProblem[]
}

/** Stores a repair with the letter, keeps its original bytes, and checks it as the ingester would. */
export async function repairLetter(
  database: ClientBase,
  letter: StoredLetter,
  { change, deviceId, config }: Repair & { readonly config: Config },
): Promise<Repaired> {
  const before = await letterNow(database, letter)
  const payload = change(before.payload)
  const repairedDeviceId = deviceId ?? before.repairedDeviceId
  const isChanged = !payload.equals(before.payload) || repairedDeviceId !== before.repairedDeviceId
  if (isChanged) await addRepair(database, letter.id, { deviceId: repairedDeviceId, payload })
  const problems = await letterProblems(database, { ...letter, payload, repairedDeviceId }, config)
  return { isChanged, problems }
}

export interface PatchOptions {
  readonly config: Config
  /** A JSON merge patch (RFC 7396), as text to keep its digits. It changes each element of an array. */
  readonly merge: string
  /** Only report what would happen. */
  readonly dryRun: boolean
}

export interface Patched {
  readonly id: string
  /** `ready`: no problems left. `skipped`: already replayed successfully. */
  readonly result: 'ready' | 'wrong' | 'skipped'
  readonly isChanged: boolean
  readonly problems: readonly LetterProblem[]
}

/** Patches one of many letters. Idempotent: a letter that the patch does not change gets no new repair. */
export async function patchLetter(
  database: ClientBase,
  letter: ReplayableLetter,
  { config, merge, dryRun }: PatchOptions,
): Promise<Patched> {
  const { id, payload: before, repairedDeviceId } = letter
  if (letter.isDone) return { id, result: 'skipped', isChanged: false, problems: [] }
  const payload = merged(before, merge)
  const isChanged = !payload.equals(before)
  if (isChanged && !dryRun) await addRepair(database, id, { deviceId: repairedDeviceId, payload })
  const problems = await letterProblems(database, { ...letter, payload }, config)
  return { id, result: problems.length === 0 ? 'ready' : 'wrong', isChanged, problems }
}

/** A payload that is not JSON in UTF-8 has no fields to change and stays as it is. */
function merged(payload: Buffer, patch: string): Buffer {
  if (!isUtf8(payload)) return payload
  try {
    const before: unknown = JSON.parse(payload.toString())
    const after = patchPayload(payload.toString(), patch)
    // A patch that changes only the formatting is not a repair.
    return patchPayload(payload.toString(), '{}') === after && before !== null ? payload : Buffer.from(after)
  } catch {
    return payload
  }
}

async function addRepair(
  database: ClientBase,
  id: string,
  repair: Pick<HistoryEntry, 'deviceId' | 'payload'>,
): Promise<void> {
  await addHistory(database, id, { action: 'repaired', ...repair, outcome: null, code: null, detail: null })
}
