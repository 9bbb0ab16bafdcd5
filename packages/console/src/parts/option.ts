/** One thing that can be picked. */
export interface Option {
  readonly value: string
  readonly label: string
  /** What tells it from others with the same label. */
  readonly note?: string
}
