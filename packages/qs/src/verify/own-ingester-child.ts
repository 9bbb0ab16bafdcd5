import { realEdges } from '../app/edges.ts'
import { directIntake, MAX_PACKET_BYTES } from '../app/embedded.ts'
import { createPipeline } from '../app/pipeline.ts'
import { loadConfig } from '../config/load.ts'
import { startEmbeddedBroker } from '../embedded/broker/embedded-broker.ts'
import { findEndpoints } from '../endpoints/endpoints.ts'
import { reasonOf } from '../errors/reason-of.ts'
import type { IntakeEvents } from '../pipeline/intake.ts'
import { createLog } from '../telemetry/log.ts'
import type { FromChild, OwnIngesterOptions } from './own-ingester.ts'

/** The process of an OwnIngester: only the real pipeline, and with a login the broker of qs up in front of it. */
const { settings, detours, login } = JSON.parse(process.argv[2] as string) as OwnIngesterOptions
const config = loadConfig(settings)
const log = createLog(config.LOG_LEVEL)
const tell = (message: FromChild) => process.send?.(message)

const intake = directIntake(config)
const broker =
  login &&
  (await startEmbeddedBroker({
    ...{ host: '127.0.0.1', port: 0, wsPort: 0, credentials: login, accountsFile: null },
    maxPacketBytes: MAX_PACKET_BYTES,
    events: { intake, isEvents: (topic) => config.MQTT_EVENTS_TOPIC.deviceIdOf(topic) !== null },
    log,
  }))
const pipeline = createPipeline({
  config,
  ...findEndpoints(config),
  timeZoneOf: () => undefined,
  log,
  ...(broker && { openIntake: (events: IntakeEvents) => intake.attach(events, broker) }),
  edges: realEdges(detours),
})
pipeline.failed.then((error) => {
  tell({ kind: 'failed', reason: reasonOf(error) })
  process.disconnect()
})
process.once('message', async () => {
  broker?.shut()
  await pipeline.stop(5_000)
  await broker?.stop()
  process.disconnect()
})
// Exits if the parent process is gone, too.
process.once('disconnect', () => process.exit(0))
await pipeline.start()
broker?.open()
tell({ kind: 'ready', port: broker?.port ?? null })
