/** Intervals shorter than the gap by more than this factor are short, all others long. */
const LONGER = 4
/** How far the rhythm is read to each side, in lengths of the gap; at least three intervals. */
const AROUND = 12
/** Long intervals are the rhythm if they fill this share of the time and occur this often. */
const [USUAL_SHARE, USUAL_COUNT] = [1 / 4, 3]

/**
 * Whether the device was silent between a point and the one before it, judged by the surrounding points and not by
 * the whole line: a sensor that changes from every 20 minutes to every 15 s was never silent. Long intervals make the
 * gap usual if they fill a quarter of the time on either side and number three on both sides together. So the line of
 * a board that wakes for a few readings, or of a sensor that reports only changes, is unbroken, and an outage of a
 * regular sensor breaks it, even if outages recur now and then. If all surrounding intervals are alike, as with two or
 * three points, nothing suggests a silence.
 *
 * @param times ascending
 * @param index of the later point, 1 or more
 */
export function isSilence(times: readonly number[], index: number): boolean {
  const distance = (times[index] ?? 0) - (times[index - 1] ?? 0)
  const [before, after] = [around(times, index - 1, -1, distance), around(times, index, 1, distance)]
  const isAlike = before.long === before.time && after.long === after.time
  const isUsual = [before, after].some(({ time, long }) => long >= time * USUAL_SHARE && long > 0)
  return !(isAlike || (isUsual && before.count + after.count >= USUAL_COUNT))
}

interface Around {
  /** Seconds examined. */
  readonly time: number
  /** The part of them in long intervals. */
  readonly long: number
  readonly count: number
}

function around(times: readonly number[], start: number, step: 1 | -1, distance: number): Around {
  let [time, long, count, seen] = [0, 0, 0, 0]
  for (let index = start + step; index >= 0 && index < times.length; index += step) {
    if (time >= distance * AROUND && seen >= USUAL_COUNT) break
    const each = Math.abs((times[index] ?? 0) - (times[index - step] ?? 0))
    time += each
    seen++
    if (each * LONGER < distance) continue
    long += each
    count++
  }
  return { time, long, count }
}
