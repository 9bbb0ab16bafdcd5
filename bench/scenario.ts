import type { Ids } from './load/event-stream.ts'

export type Group = 'goals' | 'variety' | 'scale' | 'limits' | 'peers' | 'growth'

/** Who takes the events in: the product, the original way of doing it, or what a user would pick instead. */
export type SubjectName = 'ingester' | 'one-by-one' | 'telegraf' | 'node-red'

/** A promise of the product, on a machine with two cores that publisher, broker, ingester and PostgreSQL share. */
export type Goal =
  | { readonly measure: 'eventsPerSecond'; readonly atLeast: number }
  | { readonly measure: 'p50Ms' | 'p99Ms' | 'peakMemoryMb' | 'subjectCpu'; readonly below: number }
  /** Its rate, as a multiple of another scenario's in the same round. */
  | { readonly measure: 'ratio'; readonly to: string; readonly atLeast: number }

export interface Counts {
  /** Events sent before the clock starts, to the same process: a service runs for months. */
  readonly warmUp: number
  readonly measured: number
}

/** What is done. A window is how many events are sent and not acked yet, at most. */
export type Course =
  | { readonly kind: 'flood'; readonly windowEvents: number }
  /** Sent at their time, whatever comes back. */
  | { readonly kind: 'paced'; readonly ratePerSecond: number }
  /** The ingester is away and the broker queues all events; measured from its start. */
  | { readonly kind: 'backlog' }
  /** PostgreSQL is away while all events come; measured from its return. */
  | { readonly kind: 'postgres-away' }
  /** COPY of the rows that a flood stored. */
  | { readonly kind: 'copy-limit'; readonly windowEvents: number }
  /** The broker delivers to a subscriber that does nothing. */
  | { readonly kind: 'broker-limit'; readonly windowEvents: number }

export interface Scenario {
  readonly name: string
  readonly about: string
  /** Of `goals` alone without options. */
  readonly groups: readonly Group[]
  readonly course: Course
  readonly subject: SubjectName
  /** How many of it share the subscription; null: one, and it has the topic for itself. */
  readonly sharedBy: number | null
  readonly devices: number
  readonly eventsPerMessage: number
  readonly ids: Ids
  /** Each so-manieth message is sent again; 0: none is. */
  readonly resendEvery: number
  /** Events of such ids that the table holds before; null: a new one. */
  readonly rowsThere: number | null
  readonly events: { readonly full: Counts; readonly quick: Counts }
  /** For all that happens after the start of the processes; then it fails with what is missing. */
  readonly timeLimitMs: number
  readonly goals: readonly Goal[]
  /** The scenarios that its rate is divided by, besides those of its goals. */
  readonly comparedTo: readonly string[]
}
