import type { Found } from './conditions.ts'
import type { Rule } from './rule.ts'
import { timeText } from './time-text.ts'

/*
 * A condition goes through these states, each a row of alert_states; no row: all is well.
 *
 *   held      silent together with everything else, so that another rule speaks of it: nothing-ingested
 *   pending   wrong since `since`, and not yet for the time of the rule
 *   firing    it was said, or would have been if the rule were not muted
 *
 * `since` lies ahead for a device that was held: others have just come back, and it has one period of its rhythm to follow.
 * `notifiedMs` is null as long as nobody was told; only what was told is told to have ended.
 */

export interface AlertState {
  readonly deviceId: string
  readonly eventType: string
  readonly state: 'held' | 'pending' | 'firing'
  readonly sinceMs: number
  readonly firedMs: number | null
  readonly notifiedMs: number | null
  readonly value: number | null
  readonly message: string
}

/** A line of the history. */
export interface News {
  readonly deviceId: string
  readonly eventType: string
  readonly change: 'firing' | 'ended' | 'reminder'
  readonly message: string
  readonly value: number | null
  /** Whether channels are told. */
  readonly isTold: boolean
}

export interface Judgement {
  readonly changed: readonly AlertState[]
  readonly gone: readonly AlertState[]
  readonly news: readonly News[]
}

/** What follows from the conditions that hold now and the states so far. */
export function judge(
  rule: Rule,
  { found, states }: { readonly found: readonly Found[]; readonly states: readonly AlertState[] },
  nowMs: number,
): Judgement {
  const known = new Map(states.map((state) => [keyOf(state), state]))
  const isMuted = rule.mutedUntil !== null && Date.parse(rule.mutedUntil) > nowMs
  const changed: AlertState[] = []
  const news: News[] = []
  for (const each of found) {
    const old = known.get(keyOf(each))
    known.delete(keyOf(each))
    const next = nextState(rule, { each, old, isMuted }, nowMs)
    if (next === old) continue
    changed.push(next)
    const { deviceId, eventType, message, value } = next
    if (next.state !== 'firing') continue
    if (old?.state !== 'firing')
      news.push({ deviceId, eventType, message, value, change: 'firing', isTold: !isMuted })
    else news.push({ deviceId, eventType, message, value, change: 'reminder', isTold: true })
  }
  const gone = [...known.values()]
  for (const { deviceId, eventType, state, firedMs, notifiedMs, value, message } of gone) {
    if (state !== 'firing') continue
    const lasted = timeText((nowMs - (firedMs ?? nowMs)) / 1000)
    const text = `over after ${lasted}: ${message}`
    news.push({
      ...{ deviceId, eventType, value },
      change: 'ended',
      message: text,
      isTold: notifiedMs !== null,
    })
  }
  return { changed, gone, news }
}

interface Step {
  readonly each: Found
  readonly old: AlertState | undefined
  readonly isMuted: boolean
}

function nextState(rule: Rule, { each, old, isMuted }: Step, nowMs: number): AlertState {
  const { deviceId, eventType, value, message } = each
  const fresh = { deviceId, eventType, value, message, firedMs: null, notifiedMs: null, sinceMs: nowMs }
  if (old?.state === 'firing') {
    const { notifiedMs } = old
    const isDue =
      notifiedMs === null || (rule.remindSeconds !== null && nowMs - notifiedMs >= rule.remindSeconds * 1000)
    return isMuted || !isDue ? old : { ...old, value, message, notifiedMs: nowMs }
  }
  if (each.isHeld) return old?.state === 'held' ? old : { ...fresh, state: 'held' }
  const graceMs = old?.state === 'held' ? (each.graceSeconds ?? 0) * 1000 : 0
  const sinceMs = old?.state === 'pending' ? old.sinceMs : nowMs + graceMs
  if (nowMs - sinceMs >= delayOf(rule) * 1000)
    return { ...fresh, sinceMs, state: 'firing', firedMs: nowMs, notifiedMs: isMuted ? null : nowMs }
  return old?.state === 'pending' ? old : { ...fresh, sinceMs, state: 'pending' }
}

/** The conditions of these two look back over that time themselves. */
function delayOf({ kind, forSeconds }: Rule): number {
  return kind === 'dead-letters' || kind === 'nothing-ingested' ? 0 : forSeconds
}

/** Neither a device id nor a type has a NUL. */
function keyOf({ deviceId, eventType }: { readonly deviceId: string; readonly eventType: string }): string {
  return `${deviceId}\0${eventType}`
}
