import { realEdges } from '../app/edges.ts'
import { createPipeline } from '../app/pipeline.ts'
import { loadConfig } from '../config/load.ts'
import { findEndpoints } from '../endpoints/endpoints.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { createLog } from '../telemetry/log.ts'
import type { FromChild, OwnIngesterOptions } from './own-ingester.ts'

/** The process of an OwnIngester: only the real pipeline. */
const { settings, detours } = JSON.parse(process.argv[2] as string) as OwnIngesterOptions
const config = loadConfig(settings)
const tell = (message: FromChild) => process.send?.(message)

const pipeline = createPipeline({
  config,
  ...findEndpoints(config),
  timeZoneOf: () => undefined,
  log: createLog(config.LOG_LEVEL),
  edges: realEdges(detours),
})
pipeline.failed.then((error) => {
  tell({ kind: 'failed', reason: reasonOf(error) })
  process.disconnect()
})
process.once('message', async () => {
  await pipeline.stop(5_000)
  process.disconnect()
})
// Exits if the parent process is gone, too.
process.once('disconnect', () => process.exit(0))
await pipeline.start()
tell({ kind: 'ready' })
