import { DEAD_LETTER_CODES, type DeadLetterCode } from '@qs-telemetry/protocol'
import type { Rejection } from './message.ts'

export interface RejectionDetails {
  readonly eventId?: string | null
  /** The cause, as the parser or PostgreSQL said it; without one, the place in the message. */
  readonly trace?: string
  /** Of an array that is refused as a whole: the ids that can be read in it. */
  readonly names?: readonly (string | null)[]
}

/** What quotes the input (messages of parsers, topics) may hold what neither PostgreSQL nor JSON takes as text. */
export function clean(text: string): string {
  return text.toWellFormed().replaceAll('\0', '␀')
}

/** A rejection whose message names what is wrong with this element and then what to do about it. */
export function rejection(code: DeadLetterCode, detail: string, details: RejectionDetails = {}): Rejection {
  const names = details.names?.filter((id) => id !== null) ?? []
  return {
    kind: 'rejection',
    code,
    message: clean(detail === '' ? DEAD_LETTER_CODES[code] : `${detail}. ${DEAD_LETTER_CODES[code]}`),
    trace: clean(details.trace ?? `decode: ${code}${detail === '' ? '' : `: ${detail}`}`),
    eventId: details.eventId ?? null,
    ...(names.length > 0 && { names }),
  }
}
