/** How much longer than the distances around it a silence is. */
const LONGER = 4
/** How far around it the rhythm is read, to each side, in its own length; three distances at least. */
const AROUND = 12
/** Long distances are the rhythm where this share of the time passes in them, and where they come this often. */
const [USUAL_SHARE, USUAL_COUNT] = [1 / 4, 3]

/**
 * Whether the device was silent between a point and the one before it, judged by the points around them and not by the whole
 * line: a sensor that changes from every 20 minutes to every 15 s was never silent. Distances of a quarter of the length or
 * more make it usual where they fill a quarter of the time on either side, and are three on both. So a board that sleeps and
 * wakes for a few readings, and a sensor that reports changes only, keep their lines, and an outage of a regular sensor breaks
 * it, also when outages recur now and then. Where all the distances around it are alike, as of two or three points, nothing
 * speaks of a silence.
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
  /** Seconds that were looked at. */
  readonly time: number
  /** Seconds of these in distances about as long as the one in question. */
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
