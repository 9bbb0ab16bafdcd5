import type { DiskSpace } from '../telemetry/disk-space.ts'
import type { Alarm } from './alarm.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A file system of the network may take long to answer. */
const READ_EVERY_MS = 60_000
/** Growth is taken from the last week. Over less than six hours, the write-ahead log and temporary files hide it. */
const [LONGEST_MS, SHORTEST_MS] = [7 * DAY_MS, 6 * HOUR_MS]
const SOON_MS = 30 * DAY_MS
/** However slowly it fills: a twentieth of the disk, and of a large one, where that is plenty, this many bytes. */
const [LITTLE, LITTLE_BYTES] = [0.05, 10e9]

/** The disk of the data will be full soon: says when. @param read null: unknown */
export function diskAlarm(read: () => DiskSpace | null, now = Date.now): Alarm {
  /** One an hour. */
  let samples: { readonly atMs: number; readonly freeBytes: number }[] = []
  let readAtMs = Number.NEGATIVE_INFINITY
  let text: string | null = null

  function judge(nowMs: number): string | null {
    const disk = read()
    if (disk === null) return null
    const { freeBytes, totalBytes } = disk
    samples = samples.filter(({ atMs }) => nowMs - atMs <= LONGEST_MS)
    const [first, last] = [samples[0], samples.at(-1)]
    if (last === undefined || nowMs - last.atMs >= HOUR_MS) samples.push({ atMs: nowMs, freeBytes })
    const spanMs = first === undefined ? 0 : nowMs - first.atMs
    const perMs = first !== undefined && spanMs >= SHORTEST_MS ? (first.freeBytes - freeBytes) / spanMs : 0
    const leftMs = perMs > 0 ? freeBytes / perMs : Number.POSITIVE_INFINITY
    if (leftMs > SOON_MS && freeBytes > Math.min(LITTLE * totalBytes, LITTLE_BYTES)) return null
    const free = `${(freeBytes / 1e9).toFixed(1)} GB of ${(totalBytes / 1e9).toFixed(1)} GB are free`
    const when =
      leftMs === Number.POSITIVE_INFINITY
        ? ''
        : `, and at the rate of the last days the disk is full on ${new Date(now() + leftMs).toISOString().slice(0, 10)}`
    return `${free}${when}. PostgreSQL stops on a full disk, and devices then keep their events. Delete old events with KEEP_EVENTS (qs keep ls shows what goes), or use a larger disk`
  }

  return {
    name: 'disk',
    check: (nowMs) => {
      if (nowMs - readAtMs >= READ_EVERY_MS) {
        readAtMs = nowMs
        text = judge(nowMs)
      }
      return text
    },
  }
}
