/** Series of one device that a list looks at; as many as a device may have by default. */
export const MAX_SERIES = 1_000

/** One thing that one device measures. */
export interface SeriesName {
  readonly deviceId: string
  readonly eventType: string
}
