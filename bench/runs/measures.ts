export type ProcessName = 'subject' | 'mosquitto' | 'postgres' | 'publisher'

/** Of one run. null: there is no such thing, or no /proc to read it from. */
export interface Measures {
  readonly seconds: number
  readonly eventsPerSecond: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  readonly p999Ms: number | null
  /** From the start of the process until it is ready. */
  readonly readySeconds: number | null
  /** The most that was ever resident, of the largest process of the subject. */
  readonly peakMemoryMb: number | null
  /** What the rest of the machine took meanwhile, in cores; where that is much, the figures are too low. */
  readonly othersCores: number | null
  readonly cpuSecondsPerMillion: Readonly<Record<ProcessName, number | null>>
}

export interface Run {
  readonly scenario: string
  /** From 1. */
  readonly round: number
  /** null where it did not come to its end. */
  readonly measures: Measures | null
  /** Empty: every event is a row and was acked as it should be. */
  readonly faults: readonly string[]
}
