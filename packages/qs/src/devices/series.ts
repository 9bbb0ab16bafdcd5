/** Maximum series per device in a list; the default limit of event types per device. */
export const MAX_SERIES = 1_000

/** One event type of one device. */
export interface SeriesName {
  readonly deviceId: string
  readonly eventType: string
}
