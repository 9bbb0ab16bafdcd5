import type { Broker } from '../stack/broker.ts'
import type { Child } from '../stack/child.ts'

export interface SubjectContext {
  readonly broker: Broker
  readonly databaseUrl: string
  readonly directory: string
  /** Where a CPU profile of the ingester goes, or null. */
  readonly profileDirectory: string | null
  readonly eventsPerMessage: number
  /** How many processes share the subscription; null: one, without. */
  readonly sharedBy: number | null
  readonly signal: AbortSignal
}

export interface Running {
  readonly children: readonly Child[]
  /** From the start of the first process until all are ready. */
  readonly readySeconds: number
}

/** Versions of what it needs, or why it cannot run here. */
export type Probe = { readonly versions: Readonly<Record<string, string>> } | { readonly missing: string }

/** Somebody who takes events from the broker and stores them. */
export interface Subject {
  readonly title: string
  /** What it promises, and at which step; stands beside its figures. */
  readonly guarantee: string
  /** Where not, its events are followed by their rows. */
  readonly acksDevices: boolean
  /** An SQL condition that is true for a row of `events` with all that was sent. */
  readonly rowAsSent: string
  /** Gets what is missing where that can be done, and says so meanwhile. */
  probe(say: (text: string) => void): Promise<Probe>
  /** Resolves when it is subscribed. No event has been through it yet. */
  start(context: SubjectContext): Promise<Running>
}
