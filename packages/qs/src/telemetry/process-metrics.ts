import { collectDefaultMetrics, Registry } from 'prom-client'
import { consoleEndedCounter } from './metrics.ts'

export interface ProcessMetrics {
  read(): Promise<{ readonly contentType: string; readonly text: string }>
  /** Counts that the process of the console ended. */
  consoleEnded(): void
}

/** What every Node process has, for one without a pipeline: memory, CPU, event loop. */
export function processMetrics(): ProcessMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const ended = consoleEndedCounter(registry)
  return {
    read: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    consoleEnded: () => ended.inc(),
  }
}
