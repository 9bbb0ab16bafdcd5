/** A state of the service that an operator must be told about. */
export interface Alarm {
  /** The name in the metric and the log: `accounting`, `stalled`. */
  readonly name: string
  /** What is wrong and what to do about it; null if nothing is. Called every few seconds and at each scrape. */
  check(nowMs: number): string | null
}
