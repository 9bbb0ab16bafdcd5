import type { ClientBase } from 'pg'
import type { Config } from '../config/settings.ts'
import { advice } from './advice.ts'
import { forecastEvents } from './forecast-events.ts'
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
