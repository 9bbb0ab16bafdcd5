/** What came of the events that were sent: how many have arrived where they should, and what is wrong. */
export interface Confirmations {
  /** Events, each as often as it was sent. */
  readonly confirmed: number
  /** Told of every message before it is sent. */
  expect(message: number): void
  /** What is missing or odd when all should be there, in words; empty where nothing is. */
  faults(): readonly string[]
  /** Asks nobody any more. */
  stop(): void
}
