import type { Delivery, Publisher } from './delivery.ts'

/** The status of an intake, for `/readyz`, the alarms and the metrics. */
export interface IntakeStatus {
  readonly isConnected: boolean
  readonly isPaused: boolean
  /** Unsettled deliveries, including those of connections that have ended. */
  readonly unsettledMessages: number
  readonly unsettledBytes: number
  readonly reconnects: number
  /** Why the latest connection ended or could not be made; null at first. */
  readonly latestLoss: string | null
  /** The latest quarantined message. */
  readonly quarantined: {
    readonly topic: string
    readonly reason: string
    readonly atMs: number
    readonly count: number
  } | null
  readonly sessionsLost: number
  /** QoS 1 messages given up since the start. */
  readonly publishesGivenUp: number
  /** null: none. */
  readonly qos0Dropped: Dropped | null
  /** Wills on event topics, of any QoS; null: none. */
  readonly willsDropped: Dropped | null
}

/** Messages dropped since the start, and the latest of them. */
export interface Dropped {
  readonly count: number
  readonly client: string
  readonly atMs: number
}

/**
 * Where deliveries come from, and where their replies go: a client session at a broker (`source`), or the connections
 * of the devices themselves (`direct`).
 */
export interface Intake extends Publisher {
  readonly status: IntakeStatus
  /** Resolves once deliveries can arrive. */
  start(): Promise<void>
  /** Takes no new messages and waits until all are settled. The caller limits the time. */
  drain(): Promise<void>
  /** What is unsettled now stays with its sender. */
  stop(): Promise<void>
}

export interface IntakeEvents {
  readonly onDelivery: (delivery: Delivery) => void
  /** Called for an error that retrying does not fix. */
  readonly onFailure: (error: Error) => void
}
