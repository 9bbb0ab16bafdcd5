import type { ClientBase } from 'pg'
import type { Config } from '../config/settings.ts'
import type { StoredLetter } from './find-letter.ts'
import { addHistory, lastRepair } from './letter-history.ts'
import { type LetterProblem, letterProblems } from './letter-problems.ts'

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
  if (isChanged) {
    await addHistory(database, letter.id, {
      action: 'repaired',
      deviceId: repairedDeviceId,
      payload,
      outcome: null,
      code: null,
      detail: null,
    })
  }
  const problems = await letterProblems(database, { ...letter, payload, repairedDeviceId }, config)
  return { isChanged, problems }
}
