import type { AnswerWindow } from './answer-window.ts'
import type { Taken } from './taken.ts'

/** How the intake slows down one connection. */
export interface Gate {
  /** Hands on no further message until `resume`, not even one that is read already. */
  pause(): void
  resume(): void
}

export interface Share {
  readonly messages: number
  readonly bytes: number
}

/** The share of one connection in the intake. */
export class Lane {
  readonly window: AnswerWindow
  readonly gate: Gate
  readonly onSettle: (taken: Taken) => void
  unsettledMessages = 0
  unsettledBytes = 0
  isPaused = false
  /** The latest message had QoS 0. */
  isQos0 = false
  isClosed = false

  constructor(window: AnswerWindow, gate: Gate, onSettle: (taken: Taken) => void) {
    this.window = window
    this.gate = gate
    this.onSettle = onSettle
  }

  hasUsedUp({ messages, bytes }: Share): boolean {
    return this.unsettledMessages >= messages || this.unsettledBytes >= bytes
  }
}
