import type { Broker } from '../stack/broker.ts'
import type { Child } from '../stack/child.ts'

export interface SubjectContext {
  readonly broker: Broker
  readonly databaseUrl: string
  readonly directory: string
  /** Directory for a CPU profile of the ingester, or null. */
  readonly profileDirectory: string | null
  readonly eventsPerMessage: number
  /** Number of processes on a shared subscription; null: one with a subscription of its own. */
  readonly sharedBy: number | null
  readonly signal: AbortSignal
}

export interface Running {
  readonly children: readonly Child[]
  /** From the start of the first process until all are ready. */
  readonly readySeconds: number
  /** Of its own broker, which devices use instead of Mosquitto. */
  readonly mqttPort?: number
}

/** Versions of the software it needs, or why it cannot run here. */
export type Probe = { readonly versions: Readonly<Record<string, string>> } | { readonly missing: string }

/** Takes events from the broker and stores them. */
export interface Subject {
  readonly title: string
  /** What it promises, and at which step; shown beside its figures. */
  readonly guarantee: string
  /** What tells that an event is committed. */
  readonly confirmedBy: 'device acks' | 'pubacks' | 'rows'
  /** An SQL condition that is true for a row of `events` with the content sent. */
  readonly rowAsSent: string
  /** Installs what is missing if possible, and reports its progress. */
  probe(say: (text: string) => void): Promise<Probe>
  /** Resolves when it is subscribed, before any event. */
  start(context: SubjectContext): Promise<Running>
}
