import type { ClientBase } from 'pg'
import type { Config } from '../config/settings.ts'
import type { StoredLetter } from './find-letter.ts'
import { addHistory, lastRepair } from './letter-history.ts'
import { type LetterProblem, letterProblems } from './letter-problems.ts'

/** A letter as the last repair left it, else as it came. */
export interface LetterNow {
  readonly payload: Buffer
  /** Where a repair said under which device it belongs. */
  readonly repairedDeviceId: string | null
}

export async function letterNow(database: ClientBase, { id, payload }: StoredLetter): Promise<LetterNow> {
  const repair = await lastRepair(database, id)
  return { payload: repair?.payload ?? payload, repairedDeviceId: repair?.deviceId ?? null }
}

export interface Repair {
  /** What becomes of the payload; it gets that of the repair before. */
  readonly change: (before: Buffer) => Buffer
  /** null: as it is. */
  readonly deviceId: string | null
}

export interface Repaired {
  readonly isChanged: boolean
  readonly problems: readonly LetterProblem[]
}

/** Keeps a repair beside the letter, whose bytes stay, and judges it as the ingester would. */
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
