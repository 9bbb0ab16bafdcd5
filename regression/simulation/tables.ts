import { contentOf } from '../checker.ts'
import type { Row } from './transaction.ts'

/** A row of an insert-events input, with the names of EVENT_INPUT. */
export interface InputRow {
  readonly id: string
  readonly device: string
  readonly type: string
  readonly num?: number
  readonly txt?: string
  readonly unit?: string
  readonly ts: string
  readonly dev?: string
  readonly local?: string
  readonly raw?: string
  readonly srv: string
  readonly schema: number
  readonly meta?: unknown
  readonly exact?: string
}

export interface LetterRow {
  readonly device_id: string
  readonly event_id: string | null
  readonly code: string
  readonly payload: string
  readonly fingerprint: string
}

export interface StatsRow {
  readonly messages: number
  readonly received: number
  readonly stored: number
  readonly duplicate: number
  readonly rejected: number
}

/** The compared part of an upsert-series input. */
export interface SeriesRow {
  readonly device: string
  readonly type: string
  readonly n: number
  /** The first and the last server time. */
  readonly seen: string
  readonly last: string
  /** Time of the newest event. */
  readonly ts: string
  readonly id: string
}

/** The tables of the contract as the sink's statements see them. */
export class Tables {
  readonly events = new Map<string, Row<InputRow>>()
  readonly letters = new Set<Row<LetterRow>>()
  readonly devices = new Map<string, Row<{ readonly first: string; readonly last: string }>>()
  readonly series = new Map<string, Row<SeriesRow>>()
  /** Rows deferred by each batch. */
  readonly pending = new Set<Row<readonly SeriesRow[]>>()
  readonly stats = new Map<string, Row<StatsRow>>()
  /** Committed since the last look. */
  newEvents: InputRow[] = []
  newLetters: LetterRow[] = []
}

export function contentOfRow(row: InputRow): string {
  return contentOf({
    deviceId: row.device,
    eventType: row.type,
    valueNum: row.num ?? null,
    valueText: row.txt ?? null,
    unit: row.unit ?? null,
    tsDevice: row.dev ?? null,
    meta: row.meta ?? null,
  })
}

/** Compares content as compare-events does: by wall time instead of instant if there is one. */
export function isSame(one: InputRow, other: InputRow): boolean {
  const parts = (row: InputRow) => [
    contentOfRow(one.local === undefined ? row : { ...row, dev: '' }),
    row.local ?? null,
    row.raw ?? null,
    row.exact ?? null,
    row.schema,
  ]
  return JSON.stringify(parts(one)) === JSON.stringify(parts(other))
}
