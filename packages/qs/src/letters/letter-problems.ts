import { DEAD_LETTER_CODES } from '@qs-telemetry/protocol'
import type { ClientBase } from 'pg'
import type { Config } from '../config/settings.ts'
import type { Event } from '../pipeline/message.ts'
import { compareEvents, readComparisons } from '../sink/compare-events.ts'
import { findSealed, pieces } from '../sink/find-sealed.ts'
import { type JudgedLetter, type Judgement, judgeLetter } from './judge-letter.ts'

/** Why a replay would be rejected, as text for the user. */
export interface LetterProblem {
  readonly code: string
  readonly message: string
}

/** The problems that decode finds in a letter. */
export function problemsOf({ rejections, deviceId }: Judgement): readonly LetterProblem[] {
  return rejections.map(({ code, message, eventId }) => ({
    code,
    message: `${eventId === null ? '' : `${eventId}: `}${message}${deviceId === null ? ' qs deadletter fix --device sets its device.' : ''}`,
  }))
}

/** All problems of a letter: those of decode, and ids that other events have. */
export async function letterProblems(
  database: ClientBase,
  letter: JudgedLetter,
  config: Config,
): Promise<readonly LetterProblem[]> {
  const judgement = judgeLetter(letter, config)
  const forecasts = await forecastEvents(database, judgement.events)
  const conflicts = judgement.events
    .filter((_, index) => forecasts[index] === 'conflict')
    .map(({ eventId }) => ({
      code: 'EVENT_ID_CONFLICT',
      message: `${eventId}: ${advice('EVENT_ID_CONFLICT')}`,
    }))
  return [...problemsOf(judgement), ...conflicts]
}

/** What would become of an event in the database. */
export type Forecast = 'stored' | 'duplicate' | 'conflict'

/** Forecasts by index, with the comparison of the sink. Changes nothing. */
export async function forecastEvents(
  database: ClientBase,
  events: readonly Event[],
): Promise<readonly Forecast[]> {
  const rows = events.map((event) => ({ event, tsServer: event.ts }))
  const forecasts: Forecast[] = events.map(() => 'stored')
  let start = 0
  for (const piece of pieces(rows)) {
    for (const find of [compareEvents, findSealed]) {
      const { rows: answers } = await database.query<Record<string, unknown>>(find(piece))
      for (const { index, same } of readComparisons(answers))
        forecasts[start + index] = same ? 'duplicate' : 'conflict'
    }
    start += piece.length
  }
  return forecasts
}

/** What to do about a code. The code may come from another version and be unknown here. */
export function advice(code: string): string {
  return Object.hasOwn(DEAD_LETTER_CODES, code)
    ? DEAD_LETTER_CODES[code as keyof typeof DEAD_LETTER_CODES]
    : 'This version of qs does not know this code.'
}
