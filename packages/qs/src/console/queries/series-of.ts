/** One thing that one device measures. */
export interface SeriesName {
  readonly deviceId: string
  readonly eventType: string
}
