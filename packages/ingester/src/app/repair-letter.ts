import type { ClientBase } from 'pg'
import type { Config } from '../config/settings.ts'
import type { StoredLetter } from '../letters/find-letter.ts'
import { addHistory, type HistoryEntry, letterHistory } from '../letters/letter-history.ts'
import { letterProblems, type Problem } from './letter-problems.ts'

/** A letter as the last repair left it, else as it came. */
export interface LetterNow {
  readonly payload: Buffer
  /** Where a repair said under which device it belongs. */
  readonly repairedDeviceId: string | null
}

export function letterNow({ payload }: StoredLetter, history: readonly HistoryEntry[]): LetterNow {
  const repair = history.findLast(({ action }) => action === 'repaired')
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
  readonly problems: readonly Problem[]
}

/** Keeps a repair beside the letter, whose bytes stay, and judges it as the ingester would. */
export async function repairLetter(
  database: ClientBase,
  letter: StoredLetter,
  { change, deviceId, config }: Repair & { readonly config: Config },
): Promise<Repaired> {
  const before = letterNow(letter, await letterHistory(database, letter.id))
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
