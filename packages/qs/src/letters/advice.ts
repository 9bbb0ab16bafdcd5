import { DEAD_LETTER_CODES } from '@qs-telemetry/protocol'

/** What to do about a code. The code may come from another version and be unknown here. */
export function advice(code: string): string {
  return Object.hasOwn(DEAD_LETTER_CODES, code)
    ? DEAD_LETTER_CODES[code as keyof typeof DEAD_LETTER_CODES]
    : 'This version of qs does not know this code.'
}
