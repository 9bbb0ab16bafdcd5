/** A timestamptz as RFC 3339 text in UTC, with the microseconds that a Date would cut off. */
export function momentText(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
}
