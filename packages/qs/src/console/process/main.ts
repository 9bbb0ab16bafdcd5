import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventTopic } from '@qs-telemetry/protocol'
import type { FastifyInstance } from 'fastify'
import { embeddedDatabaseUrl } from '../../endpoints/embedded-database-url.ts'
import { urlReader } from '../../endpoints/endpoints.ts'
import { reasonOf } from '../../errors/reason-of.ts'
import { createConsole } from '../create-console.ts'
import { consoleServices } from '../create-services.ts'
import { gateOptions } from '../gate-options.ts'
import type { FromConsole, StartOrder, ToConsole } from './messages.ts'
import { takePeer } from './peer-header.ts'
import { remoteHost } from './remote-host.ts'

/** The child process of a ConsoleProcess: pages, API and their database queries, and nothing of the pipeline. */
const send = (message: FromConsole): void => {
  process.send?.(message)
}
const { host, hear } = remoteHost(send)
let server: FastifyInstance | null = null

offerMemoryFirst()
// Ctrl-C reaches the whole process group; the parent process decides when to stop.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
process.on('message', (message: ToConsole) => {
  if (message.kind === 'start') serve(message.order).then((port) => send({ kind: 'ready', port }), refuse)
  else if (message.kind === 'stop') void stop()
  else hear(message)
})
// The parent process is gone.
process.once('disconnect', () => process.exit(0))

async function stop(): Promise<void> {
  await server?.close().catch(() => {})
  process.disconnect()
}

async function serve(order: StartOrder): Promise<number> {
  const { mqttUrl, embedded, canSimulate, keepsReceiveTime, settings, token } = order
  const config = { ...order.config, MQTT_EVENTS_TOPIC: new EventTopic(order.config.MQTT_EVENTS_TOPIC) }
  // A password in a file may change.
  const { QS_DATA_DIR: dataDir, POSTGRES_PORT: port } = config
  const hasOwnDatabase = embedded !== null && config.DATABASE_URL === null
  const databaseUrl = hasOwnDatabase
    ? () => embeddedDatabaseUrl(dataDir, port, 'qs_console') ?? order.databaseUrl
    : urlReader(config, 'DATABASE_URL', order.databaseUrl)
  const services = consoleServices(
    config,
    { mqttUrl, databaseUrl },
    { host, embedded, canSimulate, keepsReceiveTime, settings },
  )
  const proxies = config.HTTP_TRUSTED_PROXIES?.split(',').map((each) => each.trim()) ?? []
  server = await createConsole(
    { services, gate: gateOptions(config), onFault: (fault) => send({ kind: 'fault', fault }) },
    {
      logger: false,
      // The parent process bounds the start. Fastify's 10 s for each plugin are too short for a starved one.
      pluginTimeout: 0,
      // On stop, current requests may finish.
      forceCloseConnections: 'idle',
      trustProxy: proxies.length > 0 ? proxies : false,
      routerOptions: { maxParamLength: 1_000 },
      serverFactory: (handler) =>
        createServer((request, response) => {
          if (takePeer(request, token)) handler(request, response)
          else request.socket.destroy()
        }),
    },
  )
  await server.listen({ host: '127.0.0.1', port: 0 })
  return (server.server.address() as AddressInfo).port
}

/** Reports the reason to the parent process, which has the log. */
function refuse(error: Error): void {
  const refused: FromConsole = { kind: 'refused', reason: reasonOf(error) }
  process.send?.(refused, () => process.exit(1))
}

/** If the machine or container runs out of memory, Linux kills this process before the ingesting one. */
function offerMemoryFirst(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000')
  } catch {
    // Not Linux.
  }
}
