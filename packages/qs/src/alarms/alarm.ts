/** A state of the service that nobody should learn of by chance. */
export interface Alarm {
  /** In the metric and the log: `accounting`, `stalled`. */
  readonly name: string
  /** What is wrong now and what to do about it; null while nothing is. Called every few seconds and at each scrape. */
  check(nowMs: number): string | null
}
