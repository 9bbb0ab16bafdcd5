import { DEAD_LETTER_CODES, type DeadLetterCode } from '@qs-telemetry/protocol'
import type { Rejection } from './message.ts'

export interface RejectionDetails {
  readonly eventId?: string | null
  /** The cause, as the parser or PostgreSQL reported it; by default the code and the detail. */
  readonly trace?: string
  /** For an array rejected as a whole: the event ids that are readable in it. */
  readonly names?: readonly (string | null)[]
}

/** Text that quotes the input (parser messages, topics) may contain characters that PostgreSQL or JSON refuses. */
export function clean(text: string): string {
  return text.toWellFormed().replaceAll('\0', '␀')
}

/** A rejection whose message says what is wrong with the element and then what to do. */
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
