import type { IntakeStatus } from '../pipeline/intake.ts'
import type { PipelineRates } from './pipeline-rates.ts'
import type { Vitals } from './process/console-host.ts'

export interface PipelineVitals {
  readonly pipeline: { status(): IntakeStatus }
  readonly rates: PipelineRates
  readonly alarms: () => ReadonlyMap<string, string>
  /** Messages queued at the broker; null: unknown. */
  readonly waiting: () => number | null
}

/** Vitals of the pipeline in this process. */
export function pipelineVitals({ pipeline, rates, alarms, waiting }: PipelineVitals): Vitals {
  const { isConnected, isPaused, unsettledMessages, unsettledBytes } = pipeline.status()
  return {
    rate: rates.rate,
    commitMs: {
      p50: rates.commitMs(0.5),
      p95: rates.commitMs(0.95),
      history: [...rates.commitHistory(0.95)],
    },
    inFlight: { messages: unsettledMessages, bytes: unsettledBytes },
    broker: { connected: isConnected, paused: isPaused, waiting: waiting() },
    alarms: [...alarms()].map(([name, text]) => ({ name, text })),
  }
}

export interface WatchedVitals {
  readonly isConnected: boolean
  readonly waiting: number | null
}

/** Vitals of pipelines in other processes, as far as the broker shows them. Their rate is in the database. */
export function watchedVitals({ isConnected, waiting }: WatchedVitals): Vitals {
  return {
    rate: null,
    commitMs: { p50: null, p95: null, history: [] },
    inFlight: null,
    broker: { connected: isConnected, paused: false, waiting },
    alarms: [],
  }
}
