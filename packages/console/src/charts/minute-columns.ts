import type { Overview } from '@qs-telemetry/protocol/api'

export interface MinuteColumn {
  /** Minutes since 1970. */
  readonly minute: number
  readonly stored: number
  readonly duplicate: number
  readonly rejected: number
  readonly total: number
  /** Exceeds the scale. */
  readonly isCut: boolean
}

export interface MinuteColumns {
  readonly columns: readonly MinuteColumn[]
  /** Events at full height. */
  readonly top: number
  /** The busiest minute. */
  readonly most: MinuteColumn | null
  /** The median of minutes with events; null with fewer than two. */
  readonly usual: number | null
}

const [LEAST, MOST] = [15, 60]
/** A minute above this multiple of the usual one is cut: a backlog must not flatten all others. */
const TIMES_USUAL = 6

/**
 * The last hour, or the time since the first event in it, but at least a quarter of an hour. The scale follows the
 * usual minute, even if a new system has only a backlog and the current minute, which counts as extrapolated.
 */
export function minuteColumns(minutes: Overview['minutes'], nowMs: number): MinuteColumns {
  const byMinute = new Map(minutes.map((each) => [Math.round(Date.parse(each.minute) / 60_000), each]))
  const last = Math.floor(nowMs / 60_000)
  const count = Math.min(MOST, Math.max(LEAST, last - Math.min(last, ...byMinute.keys()) + 1))
  const plain = Array.from({ length: count }, (_, index) => {
    const minute = last - count + 1 + index
    const { stored = 0, duplicate = 0, rejected = 0 } = byMinute.get(minute) ?? {}
    return { minute, stored, duplicate, rejected, total: stored + duplicate + rejected }
  })
  const share = Math.max(0.1, (nowMs / 60_000) % 1)
  const totals = plain.map(({ minute, total }) => (minute === last ? total / share : total))
  const busy = totals.filter((total) => total > 0).sort((a, b) => a - b)
  const greatest = busy.at(-1) ?? 0
  // Of two, the lower one: the greatest may be the backlog.
  const usual = busy.length < 2 ? null : (busy[Math.floor((busy.length - 2) / 2)] ?? null)
  const most = Math.max(1, ...plain.map(({ total }) => total))
  const top = usual === null ? most : Math.min(Math.max(most, 1), Math.max(1, usual * TIMES_USUAL))
  const columns = plain.map((each) => ({ ...each, isCut: each.total > top }))
  return {
    columns,
    top,
    most: greatest === 0 ? null : (columns.find(({ total }) => total === most) ?? null),
    usual,
  }
}
