import type { DeviceAck } from '@qs-telemetry/protocol'
import type { ClientBase } from 'pg'
import type { Config } from '../config/settings.ts'
import { QsError } from '../errors/qs-error.ts'
import type { Judgement } from './judge-letter.ts'
import { judgeReplay, movedTime, type ReplayTime } from './judge-replay.ts'
import { addHistory, type ReplayOutcome } from './letter-history.ts'
import { advice, type Forecast, forecastEvents } from './letter-problems.ts'
import type { ReplayableLetter } from './take-letters.ts'

/** A payload that is sent again. */
export interface ReplayMessage {
  readonly deviceId: string
  readonly topic: string
  readonly payload: Buffer
  /** The server time of its events, for an inbox that keeps receive times; null: the time of the replay. */
  readonly receivedAt: string | null
}

/** Sends a payload into the pipeline. */
export interface AckInbox {
  /** True within the ingester. A broker cannot carry `receivedAt`: a device could then claim any server time. */
  readonly keepsReceiveTime: boolean
  /** @returns the device acks; null if they did not all come in time */
  publish(
    message: ReplayMessage,
    wait: { readonly eventIds: readonly string[]; readonly timeoutMs: number },
  ): Promise<readonly DeviceAck[] | null>
}

export interface ReplayContext {
  readonly config: Config
  readonly database: ClientBase
  /** null: dry run. */
  readonly inbox: AckInbox | null
  readonly timeoutMs: number
  readonly time: ReplayTime
  /** Also sends letters that were already replayed successfully. */
  readonly again: boolean
  /** In a dry run: event id to the letter that has it. */
  readonly seen: Map<string, string>
  /** The newest letter before the run; newer ones may result from it. */
  readonly newestBefore: string
}

export interface ReplayResult {
  readonly id: string
  /**
   * `stored`, `duplicate`, `rejected` and `unanswered` were sent (in a dry run: would be). `wrong` and `conflict` were
   * not sent, since they would be rejected again. `skipped` was already replayed successfully.
   */
  readonly result: ReplayOutcome | 'wrong' | 'conflict' | 'skipped'
  readonly eventIds: readonly string[]
  readonly code: string | null
  readonly detail: string | null
}

/** Replays one dead letter like new input: events topic, pipeline, device ack. */
export async function replayLetter(letter: ReplayableLetter, context: ReplayContext): Promise<ReplayResult> {
  const { config, database, inbox, again, time } = context
  const { id } = letter
  const none = { id, eventIds: [], code: null, detail: null }
  if (letter.isDone && !again)
    return { ...none, result: 'skipped', detail: 'already replayed; --again sends it' }

  const judged = judgeReplay(letter, time, config)
  const { judgement, problem } = judged
  const eventIds = judgement.events.map(({ eventId }) => eventId)
  if (problem !== null) return { id, eventIds, result: 'wrong', ...problem }

  const forecasts = await forecastEvents(database, judgement.events)
  if (forecasts.every((each) => each === 'conflict')) {
    const code = 'EVENT_ID_CONFLICT'
    return { id, eventIds, result: 'conflict', code, detail: advice(code) }
  }
  const moved = movedTime(judged, forecasts)
  if (moved !== null) return { id, eventIds, result: 'wrong', ...moved }
  if (inbox === null) return forecastResult(id, { eventIds, forecasts, seen: context.seen })
  const receivedAt = time === 'kept' ? letter.receivedAt : null
  const acks = await send(judgement, receivedAt, { inbox, timeoutMs: context.timeoutMs })
  const end = outcomeOf(acks, judgement)
  if (end.outcome === 'rejected') await takeBack(judgement, context)
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
    ...(twin !== undefined ? [`letter ${twin} has the same event_id: the first one is stored`] : []),
  ]
  return { id, eventIds, result, code: null, detail: details.join('; ') || null }
}

async function send(
  { deviceId, topic, parts }: Judgement,
  receivedAt: string | null,
  { inbox, timeoutMs }: { readonly inbox: AckInbox; readonly timeoutMs: number },
): Promise<readonly DeviceAck[] | null> {
  if (deviceId === null) throw new QsError('INTERNAL_ERROR', 'A letter without a device passed the judgement')
  const all: DeviceAck[] = []
  for (const { payload, events } of parts) {
    const eventIds = events.map(({ eventId }) => eventId)
    const acks = await inbox.publish({ deviceId, topic, payload, receivedAt }, { eventIds, timeoutMs })
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
      : `${rejected.length} of ${events.length} rejected (${first.code}): these are new dead letters`
  return { outcome, code: null, detail }
}

/**
 * A replay that is rejected again creates another dead letter with the same content. It is deleted, and the outcome is
 * in the history of the old one. One row only: if the device sent the same bytes in the meantime, that is a separate
 * letter.
 */
const TAKE_BACK = `
delete from dead_letters where dead_letter_id = (
  select min(dead_letter_id) from dead_letters where fingerprint = $1 and dead_letter_id > $2)`

/** Every event was rejected again. */
async function takeBack({ parts }: Judgement, { database, newestBefore }: ReplayContext): Promise<void> {
  for (const { fingerprints } of parts)
    for (const fingerprint of fingerprints()) await database.query(TAKE_BACK, [fingerprint, newestBefore])
}
