/** What became of one element of a message. */
export interface LiveElement {
  readonly eventId: string | null
  readonly eventType: string | null
  readonly value: number | string | null
  readonly unit: string | null
  readonly ts: string | null
  readonly outcome: 'stored' | 'duplicate' | 'rejected'
  /** Why it is none, where it was rejected. */
  readonly code: string | null
  readonly message: string | null
}

/** A message, as it came in, with its end. */
export interface LiveMessage {
  readonly tsServer: string
  readonly topic: string
  readonly deviceId: string | null
  readonly bytes: number
  readonly redelivered: boolean
  readonly elements: readonly LiveElement[]
  /** Elements beyond those that are shown. */
  readonly more: number
  /** The beginning of the payload, where something in it was rejected. */
  readonly payload: string | null
}

/** What one server-sent event of /api/live holds. */
export interface LiveBatch {
  readonly messages: readonly LiveMessage[]
  /** Messages that this browser was too slow for, or that were too many to show, since the batch before. */
  readonly dropped: number
}
