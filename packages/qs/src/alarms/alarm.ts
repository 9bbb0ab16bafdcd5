/** A condition of the service that needs an operator's attention. */
export interface Alarm {
  /** The name in the metric and the log: `accounting`, `stalled`. */
  readonly name: string
  /** What is wrong and what to do about it; null while all is well. Called every few seconds and at each scrape. */
  check(nowMs: number): string | null
}
