import { type Letter, lettersOf } from '../pipeline/letter.ts'
import type { Message, Outcome } from '../pipeline/message.ts'
import type { LetterCount } from './insert-dead-letters.ts'
import type { LetterAllowance } from './letter-allowance.ts'

export interface Admission {
  readonly kept: readonly Letter[]
  readonly counted: readonly LetterCount[]
  /** Nothing was committed: the next attempt is charged again. */
  giveBack(): void
}

/**
 * The dead letters of a batch: those to keep, and counts of those beyond the allowance of their device. The outcomes of
 * the latter are marked `onlyCounted`, so that no dead letter is published that is not stored.
 */
export function admitLetters(
  batch: readonly Message[],
  outcomes: readonly (Outcome | undefined)[][],
  { allowance, nowMs }: { readonly allowance?: LetterAllowance | undefined; readonly nowMs: number },
): Admission {
  const kept: Letter[] = []
  const counted = new Map<string, LetterCount>()
  const charges: (readonly [name: string, bytes: number])[] = []
  for (const [messageIndex, message] of batch.entries()) {
    const places = outcomes[messageIndex] as (Outcome | undefined)[]
    for (const letter of lettersOf(message, places)) {
      if (allowance === undefined || letter.rejection.isAlwaysKept) {
        kept.push(letter)
        continue
      }
      const { rejection, payload, index } = letter
      const name = allowance.nameOf(letter.deviceId, nowMs)
      if (allowance.take(name, payload.length, nowMs)) {
        kept.push(letter)
        charges.push([name, payload.length])
      } else {
        places[index] = { ...rejection, onlyCounted: true }
        add(counted, name, letter)
      }
    }
  }
  const giveBack = () => {
    for (const [name, bytes] of charges) allowance?.giveBack(name, bytes)
  }
  return { kept, counted: [...counted.values()], giveBack }
}

function add(counted: Map<string, LetterCount>, name: string, { rejection, payload }: Letter): void {
  const key = `${rejection.code} ${name}`
  const before = counted.get(key)
  counted.set(key, {
    device_id: name,
    code: rejection.code,
    letters: (before?.letters ?? 0) + 1,
    bytes: (before?.bytes ?? 0) + payload.length,
  })
}
