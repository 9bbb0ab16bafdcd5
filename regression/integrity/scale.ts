/** `npm run regression -- --short`: fewer repetitions and shorter outages, for CI. */
export const isShort = process.env.QS_REGRESSION_SHORT === '1'

/** What a case does in its long form, and in its short one. */
export function scale<T>(long: T, short: T): T {
  return isShort ? short : long
}
