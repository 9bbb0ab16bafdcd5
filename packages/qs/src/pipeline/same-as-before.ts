/** A pure function that remembers its latest argument and result: messages of one read have the same topic and time. */
export function sameAsBefore<T, R>(compute: (argument: T) => R): (argument: T) => R {
  let latest: { readonly argument: T; readonly result: R } | null = null
  return (argument) => {
    if (latest === null || latest.argument !== argument) latest = { argument, result: compute(argument) }
    return latest.result
  }
}
