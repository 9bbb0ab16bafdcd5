/** `npm run regression -- --short`: fewer repetitions and shorter outages, for CI. */
export const isShort = process.env.QS_REGRESSION_SHORT === '1'

/** Picks a value for the long or the short form of a case. */
export function scale<T>(long: T, short: T): T {
  return isShort ? short : long
}

/**
 * A time limit of a case, or a ratio of two times. On CI's shared machine the cases slow each other down, so the short
 * form allows five times as much. The table shows the times; the long form holds them to the limits.
 */
export function patience(limit: number): number {
  return limit * scale(1, 5)
}
