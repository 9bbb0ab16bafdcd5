/** What takes the events in: the product, or the original way of doing it. */
export type SubjectName = 'ingester' | 'one-by-one'

/** A promise of the product about one measure, on a machine with two cores. */
export type Goal =
  | { readonly measure: 'eventsPerSecond'; readonly atLeast: number }
  | { readonly measure: 'p50Ms' | 'peakMemoryMb'; readonly below: number }

export interface Counts {
  /** Sent before the clock starts, to the same process: a service runs for months. */
  readonly warmUp: number
  readonly measured: number
}

export interface Scenario {
  readonly name: string
  readonly about: string
  readonly subject: SubjectName
  readonly devices: number
  readonly eventsPerMessage: number
  /** Events sent and without their device ack, at most. 1: each waits for the one before. */
  readonly windowEvents: number
  readonly events: { readonly full: Counts; readonly quick: Counts }
  /** For all that happens after the start of the processes; then it fails with what is missing. */
  readonly timeLimitMs: number
  readonly goals: readonly Goal[]
  /** The scenario that its rate is divided by. */
  readonly baseline: string | null
}

const MEMORY: Goal = { measure: 'peakMemoryMb', below: 200 }

const FLOOD = { devices: 100, windowEvents: 20_000, timeLimitMs: 120_000 } as const
const LONE = { devices: 1, eventsPerMessage: 1, windowEvents: 1, timeLimitMs: 60_000 } as const

/** In the order in which they run. */
export const SCENARIOS: readonly Scenario[] = [
  {
    ...FLOOD,
    name: 'warm-up',
    about: 'first run of everything, not judged',
    subject: 'ingester',
    eventsPerMessage: 1,
    events: { full: { warmUp: 0, measured: 20_000 }, quick: { warmUp: 0, measured: 2_000 } },
    goals: [],
    baseline: null,
  },
  {
    ...FLOOD,
    name: 'single-events',
    about: 'one event a message',
    subject: 'ingester',
    eventsPerMessage: 1,
    events: { full: { warmUp: 20_000, measured: 200_000 }, quick: { warmUp: 1_000, measured: 5_000 } },
    goals: [{ measure: 'eventsPerSecond', atLeast: 15_000 }, MEMORY],
    baseline: 'baseline-single-events',
  },
  {
    ...FLOOD,
    name: 'arrays-of-100',
    about: '100 events a message',
    subject: 'ingester',
    eventsPerMessage: 100,
    events: { full: { warmUp: 40_000, measured: 400_000 }, quick: { warmUp: 1_000, measured: 10_000 } },
    goals: [{ measure: 'eventsPerSecond', atLeast: 30_000 }, MEMORY],
    baseline: 'baseline-single-events',
  },
  {
    ...LONE,
    name: 'lone-event',
    about: 'one event, its device ack, then the next',
    subject: 'ingester',
    events: { full: { warmUp: 100, measured: 500 }, quick: { warmUp: 10, measured: 50 } },
    goals: [{ measure: 'p50Ms', below: 10 }, MEMORY],
    baseline: 'baseline-lone-event',
  },
  {
    ...FLOOD,
    name: 'baseline-single-events',
    about: 'one event, one INSERT, one COMMIT, one device ack',
    subject: 'one-by-one',
    eventsPerMessage: 1,
    events: { full: { warmUp: 500, measured: 10_000 }, quick: { warmUp: 50, measured: 500 } },
    goals: [],
    baseline: null,
  },
  {
    ...LONE,
    name: 'baseline-lone-event',
    about: 'the same, each after the device ack of the one before',
    subject: 'one-by-one',
    events: { full: { warmUp: 100, measured: 500 }, quick: { warmUp: 10, measured: 50 } },
    goals: [],
    baseline: null,
  },
]
