import type { AnswerWindow } from './answer-window.ts'

/** How the intake slows down one connection. */
export interface Gate {
  /** Hands on nothing until `resume`, beginning with the current message, which then comes again. */
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

/** What one client has in the pipeline, also from connections that have ended: a reconnect frees no share. */
export interface Load {
  messages: number
  bytes: number
}

/** The answers of one connection, the gate that stops and continues its messages, and what to do once one is settled. */
export interface Way {
  readonly window: AnswerWindow
  readonly gate: Gate
  readonly onSettle: (settled: Settled) => void
}

/** One connection, as the intake sees it. */
export class Lane {
  readonly clientId: string
  readonly load: Load
  readonly window: AnswerWindow
  readonly gate: Gate
  readonly onSettle: (settled: Settled) => void
  isPaused = false
  /** The latest message had QoS 0. */
  isQos0 = false
  isClosed = false

  constructor(clientId: string, load: Load, { window, gate, onSettle }: Way) {
    this.clientId = clientId
    this.load = load
    this.window = window
    this.gate = gate
    this.onSettle = onSettle
  }

  /** Answers that wait behind those of events count too: a 3.1.1 client knows no Receive Maximum. */
  hasUsedUp({ messages, bytes }: Share): boolean {
    return (
      this.load.messages >= messages || this.load.bytes >= bytes || this.window.size >= Math.max(messages, 1)
    )
  }
}
