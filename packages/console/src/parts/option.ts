/** An item of a picker. */
export interface Option {
  readonly value: string
  readonly label: string
  /** Distinguishes it from others with the same label. */
  readonly note?: string
}
