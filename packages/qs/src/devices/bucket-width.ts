const [S, M, H, D] = [1, 60, 3_600, 86_400]

/** Widths that suit an axis, in seconds. From a minute on, each divides a day or is whole days. */
const WIDTHS: readonly number[] = [
  ...[0.001, 0.01, 0.1, 0.5],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * S),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * M),
  ...[1, 2, 3, 4, 6, 8, 12].map((n) => n * H),
  ...[1, 2, 5, 7, 14, 30, 90, 365].map((n) => n * D),
]

/** The narrowest bucket, in seconds, such that at most `points` buckets cover a range. */
export function bucketWidth(rangeSeconds: number, points: number): number {
  // A range rarely begins at the start of a bucket, so it touches one more.
  const fits = (width: number) => Math.ceil(rangeSeconds / width) + 1 <= points
  return WIDTHS.find(fits) ?? Math.ceil(rangeSeconds / Math.max(1, points - 1))
}
