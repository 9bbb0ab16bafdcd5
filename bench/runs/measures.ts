export type ProcessName = 'subject' | 'mosquitto' | 'postgres' | 'publisher'

/** Figures of one run. null: not applicable, or no /proc to read it from. */
export interface Measures {
  readonly seconds: number
  readonly eventsPerSecond: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  readonly p999Ms: number | null
  /** From the start of the process until it is ready. */
  readonly readySeconds: number | null
  /** Peak resident memory of the subject's largest process. */
  readonly peakMemoryMb: number | null
  /** Cores used by other processes meanwhile; if many, the figures are too low. */
  readonly othersCores: number | null
  readonly cpuSecondsPerMillion: Readonly<Record<ProcessName, number | null>>
}

export interface Run {
  readonly scenario: string
  /** From 1. */
  readonly round: number
  /** null if the run did not finish. */
  readonly measures: Measures | null
  /** Empty if every event is a row and was acked correctly. */
  readonly faults: readonly string[]
}
