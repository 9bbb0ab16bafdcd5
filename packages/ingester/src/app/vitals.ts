import type { Overview } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import { storedLately } from '../queries/stored-lately.ts'
import type { Pipeline } from './pipeline.ts'
import { type Pulse, RATE_MS } from './pulse.ts'

/** What the first page says beside what is in the database. */
export type Vitals = Pick<
  Overview,
  'eventsPerSecond' | 'rateSeconds' | 'commitMs' | 'inFlight' | 'broker' | 'alarms'
>

export interface PipelineVitals {
  readonly pipeline: Pick<Pipeline, 'status'>
  readonly pulse: Pulse
  readonly alarms: () => ReadonlyMap<string, string>
  /** Messages that wait at the broker; null: it does not say. */
  readonly waiting: () => number | null
}

/** Of the pipeline in this process. */
export function pipelineVitals({ pipeline, pulse, alarms, waiting }: PipelineVitals): () => Promise<Vitals> {
  return async () => {
    const { isConnected, isPaused, unsettledMessages, unsettledBytes } = pipeline.status()
    return {
      eventsPerSecond: pulse.rate,
      rateSeconds: RATE_MS / 1000,
      commitMs: {
        p50: pulse.commitMs(0.5),
        p95: pulse.commitMs(0.95),
        history: [...pulse.commitHistory(0.95)],
      },
      inFlight: { messages: unsettledMessages, bytes: unsettledBytes },
      broker: { connected: isConnected, paused: isPaused, waiting: waiting() },
      alarms: [...alarms()].map(([name, text]) => ({ name, text })),
    }
  }
}

export interface WatchedVitals {
  readonly read: Ask
  readonly isConnected: () => boolean
  readonly waiting: () => number | null
}

/** Of pipelines in other processes: what they leave in the database, and what the broker says. */
export function watchedVitals({ read, isConnected, waiting }: WatchedVitals): () => Promise<Vitals> {
  return async () => ({
    ...(await storedLately(read)),
    commitMs: { p50: null, p95: null, history: [] },
    inFlight: null,
    broker: { connected: isConnected(), paused: false, waiting: waiting() },
    alarms: [],
  })
}
