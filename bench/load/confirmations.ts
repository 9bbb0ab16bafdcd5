/** The outcome of the sent events: how many have arrived where they should, and what is wrong. */
export interface Confirmations {
  /** Events, counted as often as they were sent. */
  readonly confirmed: number
  /** Call for every message before it is sent. */
  expect(message: number): void
  /** Texts about what is missing or odd when all should have arrived; empty if nothing is. */
  faults(): readonly string[]
  /** Stops counting. */
  stop(): void
}
