import { collectDefaultMetrics, Registry } from 'prom-client'

/** What every Node process has, for one without a pipeline: memory, CPU, event loop. */
export function processMetrics(): () => Promise<{ readonly contentType: string; readonly text: string }> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return async () => ({ contentType: registry.contentType, text: await registry.metrics() })
}
