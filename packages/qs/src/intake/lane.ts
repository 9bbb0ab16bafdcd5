import type { AnswerWindow } from './answer-window.ts'
import { PinnedRead } from './pinned-read.ts'

/** How the intake slows down one connection. */
export interface Gate {
  /** Hands on nothing until `resume`, beginning with the current message, which then comes again. */
  pause(): void
  resume(): void
}

/** A message of a connection, once it is settled. */
export interface Settled {
  readonly lane: Lane
  readonly topic: string
  readonly read: PinnedRead
}

export interface Share {
  readonly messages: number
  readonly bytes: number
}

/** What is in the pipeline: of one connection, or of all that have ended of one owner. */
export interface Load {
  messages: number
  /** Bytes of reads and of topics. */
  bytes: number
}

/** Where messages come from. */
export interface Origin {
  readonly clientId: string
  /** An account, or else an address. */
  readonly owner: string
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
  /** Whose connection it is: an account, or else an address. */
  readonly owner: string
  load: Load = { messages: 0, bytes: 0 }
  readonly window: AnswerWindow
  readonly gate: Gate
  readonly onSettle: (settled: Settled) => void
  isPaused = false
  /** The latest message had QoS 0. */
  isQos0 = false
  isClosed = false
  #read: PinnedRead | null = null

  constructor({ clientId, owner }: Origin, { window, gate, onSettle }: Way) {
    this.clientId = clientId
    this.owner = owner
    this.window = window
    this.gate = gate
    this.onSettle = onSettle
  }

  /** The read that a payload is part of. */
  readOf(buffer: ArrayBufferLike): PinnedRead {
    if (this.#read?.buffer !== buffer) this.#read = new PinnedRead(buffer)
    return this.#read
  }

  /** A read of which nothing waits is not kept in memory by an idle connection. */
  forgetRead(): void {
    if (this.#read?.unsettled === 0) this.#read = null
  }

  /** Answers that wait behind those of events count too: a 3.1.1 client knows no Receive Maximum. */
  hasUsedUp({ messages, bytes }: Share, left: Share): boolean {
    return (
      this.load.messages + left.messages >= messages ||
      this.load.bytes + left.bytes >= bytes ||
      this.window.size >= Math.max(messages, 1)
    )
  }
}
