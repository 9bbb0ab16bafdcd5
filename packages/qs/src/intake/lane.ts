import type { AnswerWindow } from './answer-window.ts'

/** How the intake slows down one connection. */
export interface Gate {
  /** Hands on no further message until `resume`, not even one that is read already. */
  pause(): void
  resume(): void
}

/** A message of a connection, once it is settled. */
export interface Settled {
  readonly lane: Lane
  readonly payload: Buffer
}

export interface Share {
  readonly messages: number
  readonly bytes: number
}

/** The share of one connection in the intake. */
export class Lane {
  readonly client: string
  readonly window: AnswerWindow
  readonly gate: Gate
  readonly onSettle: (settled: Settled) => void
  unsettledMessages = 0
  unsettledBytes = 0
  isPaused = false
  /** The latest message had QoS 0. */
  isQos0 = false
  isClosed = false

  constructor(
    window: AnswerWindow,
    gate: Gate,
    { client, onSettle }: { readonly client: string; readonly onSettle: (settled: Settled) => void },
  ) {
    this.client = client
    this.window = window
    this.gate = gate
    this.onSettle = onSettle
  }

  /** @param earlier what earlier connections of its client have left */
  hasUsedUp({ messages, bytes }: Share, earlier: Share | undefined = undefined): boolean {
    return (
      this.unsettledMessages + (earlier?.messages ?? 0) >= messages ||
      this.unsettledBytes + (earlier?.bytes ?? 0) >= bytes
    )
  }
}
