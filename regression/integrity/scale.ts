/** `npm run regression -- --short`: fewer repetitions and shorter outages, for CI. */
export const isShort = process.env.QS_REGRESSION_SHORT === '1'

/** Picks a value for the long or the short form of a case. */
export function scale<T>(long: T, short: T): T {
  return isShort ? short : long
}
