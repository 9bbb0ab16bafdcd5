import type { Ids } from './load/event-stream.ts'

export type Group = 'goals' | 'variety' | 'scale' | 'limits' | 'peers' | 'growth'

/** What receives the events: the product, the original way, or what a user would pick instead. */
export type SubjectName = 'ingester' | 'up' | 'one-by-one' | 'telegraf' | 'node-red'

/** A promise of the product, on a machine with two cores that publisher, broker, ingester and PostgreSQL share. */
export type Goal =
  | { readonly measure: 'eventsPerSecond'; readonly atLeast: number }
  | { readonly measure: 'p50Ms' | 'p99Ms' | 'peakMemoryMb' | 'subjectCpu'; readonly below: number }
  /** The scenario's rate as a multiple of another scenario's in the same round. */
  | { readonly measure: 'ratio'; readonly to: string; readonly atLeast: number }

export interface Counts {
  /** Events sent before the clock starts, to the same process: a service runs for months. */
  readonly warmUp: number
  readonly measured: number
}

/** How a scenario proceeds. A window is the most events that may be sent but not acked yet. */
export type Course =
  | { readonly kind: 'flood'; readonly windowEvents: number }
  /** Sent on schedule, whatever comes back. */
  | { readonly kind: 'paced'; readonly ratePerSecond: number }
  /** The broker queues all events while the ingester is down; measured from its start. */
  | { readonly kind: 'backlog' }
  /** PostgreSQL is away while all events arrive; measured from its return. */
  | { readonly kind: 'postgres-away' }
  /** COPY of the rows that a flood stored. */
  | { readonly kind: 'copy-limit'; readonly windowEvents: number }
  /** The broker delivers to a subscriber that only counts. */
  | { readonly kind: 'broker-limit'; readonly windowEvents: number }

export interface Scenario {
  readonly name: string
  readonly about: string
  /** Without options, only those of `goals` run. */
  readonly groups: readonly Group[]
  readonly course: Course
  readonly subject: SubjectName
  /** Number of processes that share the subscription; null: one with a subscription of its own. */
  readonly sharedBy: number | null
  readonly devices: number
  /** That the devices publish on, in turn: 1 is a gateway, and as many as devices means one each. */
  readonly connections: number
  readonly eventsPerMessage: number
  readonly ids: Ids
  /** Every nth message is a repeat; 0: none is. */
  readonly resendEvery: number
  /** Rows with such ids already in the table; null: a new table. */
  readonly rowsThere: number | null
  readonly events: { readonly full: Counts; readonly quick: Counts }
  /** For everything after the start of the processes; when it is over, the scenario fails. */
  readonly timeLimitMs: number
  readonly goals: readonly Goal[]
  /** The scenarios that its rate is divided by, besides those of its goals. */
  readonly comparedTo: readonly string[]
}
