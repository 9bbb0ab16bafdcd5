const [S, M, H, D] = [1, 60, 3_600, 86_400]

/** What people can read off an axis. Seconds; each from a minute on divides a day, or is whole days. */
const WIDTHS: readonly number[] = [
  ...[0.001, 0.01, 0.1, 0.5],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * S),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * M),
  ...[1, 2, 3, 4, 6, 8, 12].map((n) => n * H),
  ...[1, 2, 5, 7, 14, 30, 90, 365].map((n) => n * D),
]

/** The narrowest bucket, in seconds, of which at most `points` cover a range. */
export function bucketWidth(rangeSeconds: number, points: number): number {
  // A range seldom begins where a bucket does, so it touches one more.
  const fits = (width: number) => Math.ceil(rangeSeconds / width) + 1 <= points
  return WIDTHS.find(fits) ?? Math.ceil(rangeSeconds / Math.max(1, points - 1))
}
