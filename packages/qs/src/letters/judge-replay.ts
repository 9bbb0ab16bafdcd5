import { jsonContent } from '@qs-telemetry/protocol'
import type { Config } from '../config/settings.ts'
import { parseExact, stringifyExact } from '../decode/exact-numbers.ts'
import { type Judgement, judgeLetter } from './judge-letter.ts'
import { type Forecast, problemsOf } from './letter-problems.ts'
import type { ReplayableLetter } from './take-letters.ts'

/**
 * The time of replayed events without a plausible `ts_device`. `kept`: the receive time of the letter, passed on by the
 * inbox. `aged`: the same time, expressed as the age of the letter in `age_ms`. `now`: the time of the replay.
 */
export type ReplayTime = 'kept' | 'aged' | 'now'

/** Why a letter is not sent. */
export interface ReplayProblem {
  readonly code: string | null
  readonly detail: string
}

export interface JudgedReplay {
  /** For the payload as sent: an added age makes it longer and may push it over the limits, so that it is split. */
  readonly judgement: Judgement
  readonly problem: ReplayProblem | null
  /** The expected times of its events, by index. */
  readonly times: readonly string[]
}

/** Judges a letter as if it were replayed now. */
export function judgeReplay(letter: ReplayableLetter, time: ReplayTime, config: Config): JudgedReplay {
  const nowMs = Date.now()
  const receivedAt = time === 'now' ? new Date(nowMs) : letter.receivedAt
  const judgement = judgeLetter({ ...letter, receivedAt }, config)
  const problem = firstProblem(judgement)
  const times = judgement.events.map(({ ts }) => ts)
  if (time !== 'aged' || problem !== null) return { judgement, problem, times }

  const receivedMs = Date.parse(letter.receivedAt)
  // The ingester's clock may be ahead of this one.
  const sentMs = Math.max(nowMs, receivedMs)
  const payload = agedPayload(letter.payload, sentMs - receivedMs)
  const aged = judgeLetter({ ...letter, payload, receivedAt: new Date(sentMs) }, config)
  return { judgement: aged, problem: firstProblem(aged), times }
}

function firstProblem(judgement: Judgement): ReplayProblem | null {
  const [problem] = problemsOf(judgement)
  return problem === undefined ? null : { code: problem.code, detail: problem.message }
}

/** Ages are whole milliseconds, so an event moves by at most one. */
const TOLERANCE_MS = 2

/**
 * An ingester judges device times and ages at the arrival of a message: it accepts no age beyond DEVICE_CLOCK_MAX_PAST,
 * and a device time that was plausible when the letter was received may no longer be. Such events would silently be
 * stored with another time. Events that are already stored keep their time.
 */
export function movedTime(
  { judgement: { events }, times }: JudgedReplay,
  forecasts: readonly Forecast[],
): ReplayProblem | null {
  const moved = events.flatMap(({ eventId, ts }, index) => {
    const wanted = times[index] ?? ts
    const isMoved = Math.abs(Date.parse(ts) - Date.parse(wanted)) > TOLERANCE_MS
    return isMoved && forecasts[index] === 'stored' ? [{ eventId, ts, wanted }] : []
  })
  const [first] = moved
  if (first === undefined) return null
  const others = moved.length > 1 ? ` (and ${moved.length - 1} more)` : ''
  return {
    code: null,
    detail:
      `${first.eventId}${others} would be stored with the time ${first.ts} instead of ${first.wanted}: through the broker,` +
      ' DEVICE_CLOCK_MAX_PAST and DEVICE_CLOCK_MAX_FUTURE count from the replay. Replay it in the console of qs up or qs ingest,' +
      ' which keeps the time, or accept the new time with qs deadletter replay --now',
  }
}

/**
 * Adds `byMs` to the `age_ms` of every event in a payload, so that a replay through the broker keeps the receive time
 * of a letter. An age is not content: the events stay the same. A payload that is not JSON is returned unchanged.
 */
export function agedPayload(payload: Buffer, byMs: number): Buffer {
  try {
    const text = jsonContent(payload).toString()
    const plain: unknown = JSON.parse(text)
    const exact = parseExact(text)
    const aged = Array.isArray(plain)
      ? plain.map((event, index) => age(event, (exact as readonly unknown[])[index], byMs))
      : age(plain, exact, byMs)
    return Buffer.from(stringifyExact(aged))
  } catch {
    return payload
  }
}

function age(plain: unknown, exact: unknown, byMs: number): unknown {
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) return exact
  const { age_ms: before } = plain as { readonly age_ms?: unknown }
  // An unusable age stays, so that the device ack still warns of it.
  if (before !== undefined && before !== null && !(typeof before === 'number' && before >= 0)) return exact
  // Without a prototype, so that a field called `__proto__` is an ordinary field.
  const event = Object.assign(Object.create(null) as Record<string, unknown>, exact)
  event.age_ms = (before ?? 0) + byMs
  return event
}
