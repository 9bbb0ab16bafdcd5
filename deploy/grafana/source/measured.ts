/** Whether a row is a measurement. 1 and 0 without a unit, which may be null, are a boolean: a state. Never null. */
export function isMeasured(row: string): string {
  return `(${row}.value_num is not null and (${row}.value_num not in (0, 1) or coalesce(${row}.unit, '') <> ''))`
}
