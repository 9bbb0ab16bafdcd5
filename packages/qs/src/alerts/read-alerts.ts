import { momentText } from '../database/moment-text.ts'
import type { Ask } from '../database/query-pool.ts'

export interface Firing {
  readonly rule: string
  /** Empty: not about a device. */
  readonly deviceId: string
  readonly eventType: string
  readonly since: string
  readonly message: string
  readonly value: number | null
  /** Whether channels were told. */
  readonly isTold: boolean
}

export interface HistoryLine {
  readonly id: string
  /** RFC 3339. */
  readonly at: string
  readonly rule: string
  readonly deviceId: string
  readonly eventType: string
  readonly change: 'firing' | 'ended' | 'reminder' | 'test'
  readonly message: string
}

const FIRING = `
select rule, device_id as "deviceId", event_type as "eventType", ${momentText('fired_at')} as since, message, value,
  notified_at is not null as "isTold"
from alert_states where state = 'firing' order by fired_at desc, rule, device_id, event_type limit 1000`

const HISTORY = `
select history_id::text as id, ${momentText('at')} as at, rule, device_id as "deviceId", event_type as "eventType", change, message
from alert_history order by history_id desc limit $1`

export function listFiring(ask: Ask): Promise<readonly Firing[]> {
  return ask.query<Firing>(FIRING)
}

/** Newest first. */
export function listHistory(ask: Ask, limit: number): Promise<readonly HistoryLine[]> {
  return ask.query<HistoryLine>(HISTORY, [limit])
}
