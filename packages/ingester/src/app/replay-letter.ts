import type { DeviceAck } from '@qs-telemetry/protocol'
import type { ClientBase } from 'pg'
import type { Config } from '../config/settings.ts'
import { advice } from '../letters/advice.ts'
import { addHistory, type ReplayOutcome } from '../letters/letter-history.ts'
import { takeBackLetter } from '../letters/take-back-letter.ts'
import type { ReplayableLetter } from '../letters/take-letters.ts'
import { agedPayload } from './aged-payload.ts'
import { type Forecast, forecastEvents } from './forecast-events.ts'
import { type Judgement, judgeLetter, type ReplayPart } from './judge-letter.ts'
import { problemsOf } from './letter-problems.ts'

/** A payload that is sent again, and when it came first, in both of the ways in which an inbox can tell that to the ingester. */
export interface ReplayMessage {
  readonly deviceId: string
  readonly topic: string
  readonly payload: Buffer
  /** The server time that its events get where the inbox is within the ingester; null: the time of the replay. */
  readonly receivedAt: string | null
  /** The payload for the broker: a device could name any time, so it is an age. */
  readonly agedPayload: Buffer
}

/** How a payload gets onto the way of fresh input, and its device acks back. null: they did not all come in time. */
export interface AckInbox {
  publish(
    message: ReplayMessage,
    wait: { readonly eventIds: readonly string[]; readonly timeoutMs: number },
  ): Promise<readonly DeviceAck[] | null>
}

export interface ReplayContext {
  readonly config: Config
  readonly database: ClientBase
  /** null: only say what would become of it. */
  readonly inbox: AckInbox | null
  readonly timeoutMs: number
  /** Events get the time of the replay as their server time, and not the one at which the letter came in. */
  readonly asNow: boolean
  /** Letters that were replayed with success before, too. */
  readonly again: boolean
  /** In a dry run, which letter of it has an event id. */
  readonly seen: Map<string, string>
  /** The newest letter before the run: newer ones came of it. */
  readonly newestBefore: string
}

export interface ReplayResult {
  readonly id: string
  /**
   * `stored`, `duplicate`, `rejected` and `unanswered` were sent (in a dry run: would be). `wrong` and `conflict`
   * were not: they would only be rejected again. `skipped` is at home already.
   */
  readonly result: ReplayOutcome | 'wrong' | 'conflict' | 'skipped'
  readonly eventIds: readonly string[]
  readonly code: string | null
  readonly detail: string | null
}

/** One dead letter on the same path as fresh input: its events topic, the pipeline, its device ack. */
export async function replayLetter(letter: ReplayableLetter, context: ReplayContext): Promise<ReplayResult> {
  const { config, database, inbox, again, asNow } = context
  const { id } = letter
  const receivedAt = asNow ? new Date() : letter.receivedAt
  const none = { id, eventIds: [], code: null, detail: null }
  if (letter.isDone && !again)
    return { ...none, result: 'skipped', detail: 'replayed before; --again sends it' }

  const judgement = judgeLetter({ ...letter, receivedAt }, config)
  const eventIds = judgement.events.map(({ eventId }) => eventId)
  const [problem] = problemsOf(judgement)
  if (problem !== undefined)
    return { id, eventIds, result: 'wrong', code: problem.code, detail: problem.message }

  const forecasts = await forecastEvents(database, judgement.events)
  if (forecasts.every((each) => each === 'conflict')) {
    const code = 'EVENT_ID_CONFLICT'
    return { id, eventIds, result: 'conflict', code, detail: advice(code) }
  }
  if (inbox === null) return forecastResult(id, { eventIds, forecasts, seen: context.seen })
  const messages = messagesOf(judgement, asNow ? null : letter.receivedAt)
  const acks = await send(judgement, messages, { inbox, timeoutMs: context.timeoutMs })
  const end = outcomeOf(acks, judgement)
  if (end.outcome === 'rejected') await takeBack(judgement, messages, context)
  await addHistory(database, id, {
    action: 'replayed',
    deviceId: letter.repairedDeviceId,
    payload: letter.payload,
    ...end,
  })
  return { id, eventIds, result: end.outcome, code: end.code, detail: end.detail }
}

interface Foreseen {
  readonly eventIds: readonly string[]
  readonly forecasts: readonly Forecast[]
  readonly seen: Map<string, string>
}

function forecastResult(id: string, { eventIds, forecasts, seen }: Foreseen): ReplayResult {
  const result = forecasts.includes('stored') ? 'stored' : 'duplicate'
  const conflicts = forecasts.filter((each) => each === 'conflict').length
  const twin = eventIds.map((eventId) => seen.get(eventId)).find((other) => other !== undefined)
  for (const eventId of eventIds) seen.set(eventId, id)
  const details = [
    ...(conflicts > 0 ? [`${conflicts} of ${forecasts.length} would be EVENT_ID_CONFLICT`] : []),
    ...(twin !== undefined ? [`letter ${twin} has the same event_id: the first of them is stored`] : []),
  ]
  return { id, eventIds, result, code: null, detail: details.join('; ') || null }
}

/** One for each part, made once: an age is as old as its message. */
function messagesOf(
  { deviceId, topic, parts }: Judgement,
  receivedAt: string | null,
): readonly ReplayMessage[] {
  if (deviceId === null) throw new Error('A letter without a device passed the judgement')
  const ageMs = receivedAt === null ? null : Math.max(0, Date.now() - Date.parse(receivedAt))
  return parts.map(({ payload }) => {
    const aged = ageMs === null ? payload : agedPayload(payload, ageMs)
    return { deviceId, topic, payload, receivedAt, agedPayload: aged }
  })
}

async function send(
  { parts }: Judgement,
  messages: readonly ReplayMessage[],
  { inbox, timeoutMs }: { readonly inbox: AckInbox; readonly timeoutMs: number },
): Promise<readonly DeviceAck[] | null> {
  const all: DeviceAck[] = []
  for (const [index, message] of messages.entries()) {
    const eventIds = parts[index]?.events.map(({ eventId }) => eventId) ?? []
    const acks = await inbox.publish(message, { eventIds, timeoutMs })
    if (acks === null) return null
    all.push(...acks)
  }
  return all
}

interface End {
  readonly outcome: ReplayOutcome
  readonly code: string | null
  readonly detail: string | null
}

function outcomeOf(acks: readonly DeviceAck[] | null, { events }: Judgement): End {
  if (acks === null) return { outcome: 'unanswered', code: null, detail: 'no device ack in time' }
  const rejected = acks.filter(({ status }) => status === 'rejected')
  const first = rejected[0]?.error
  if (first !== undefined && rejected.length === acks.length)
    return { outcome: 'rejected', code: first.code, detail: first.message }
  const outcome = acks.some(({ status }) => status === 'stored') ? 'stored' : 'duplicate'
  const detail =
    first === undefined
      ? null
      : `${rejected.length} of ${events.length} rejected (${first.code}): they are dead letters of their own`
  return { outcome, code: null, detail }
}

/** All of it was rejected again: the letters that this left are this letter once more, in the form in which the inbox sent it. */
async function takeBack(
  { parts }: Judgement,
  messages: readonly ReplayMessage[],
  { database, newestBefore: after }: ReplayContext,
): Promise<void> {
  for (const [at, part] of parts.entries()) {
    const { payload, agedPayload: aged } = messages[at] as ReplayMessage
    const forms = aged.equals(payload) ? [payload] : [payload, aged]
    for (const sent of forms)
      for (const fingerprint of fingerprintsOf(part, sent))
        await takeBackLetter(database, { fingerprint, after })
  }
}

function fingerprintsOf({ events, fingerprintAt }: ReplayPart, sent: Buffer): readonly string[] {
  return events.map((_, index) => fingerprintAt(index, sent))
}
