import { foundIn, inspectConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { shownSettings } from '../config/shown-settings.ts'
import { consoleAnswers, type HostParts } from '../console/process/console-answers.ts'
import { ConsoleFront } from '../console/process/console-front.ts'
import { ConsoleProcess } from '../console/process/console-process.ts'
import { trustedPeer } from '../console/trusted-peer.ts'
import { currentUrl } from '../endpoints/database-url.ts'
import type { ServiceEndpoints } from '../endpoints/endpoints.ts'
import { isLoopback } from '../endpoints/loopback.ts'
import { FaultLog } from '../http/fault-log.ts'
import type { HealthOptions } from '../http/health.ts'
import { startHttp } from '../http/server.ts'
import type { Log } from '../telemetry/log.ts'

export interface ServeOptions extends HealthOptions {
  readonly endpoints: ServiceEndpoints
  /** What this process provides to the console. */
  readonly host: HostParts
  /** Set if the broker belongs to this process (qs up); `lan`: boards on the network reach it. */
  readonly embedded: { readonly lan: boolean } | null
  readonly onConsoleEnded: () => void
  readonly log: Log
}

export interface Serving {
  /** Starts the console now instead of on the first request. */
  prepare(): Promise<void>
  close(): Promise<void>
}

/** Serves health and metrics here and the console in its own process. @throws Error if the port is in use */
export async function serve(config: Config, options: ServeOptions): Promise<Serving> {
  const { endpoints, host, embedded, onConsoleEnded, log, ...health } = options
  const { HTTP_HOST: address, HTTP_PORT: port, MQTT_EVENTS_TOPIC: topic } = config
  const faults = new FaultLog(log.child({ stage: 'console' }))
  const console = new ConsoleProcess({
    order: {
      config: { ...config, MQTT_EVENTS_TOPIC: topic.filter },
      mqttUrl: endpoints.mqttUrl,
      databaseUrl: currentUrl(endpoints.databaseUrl),
      embedded: embedded === null ? null : { lan: embedded.lan },
      canSimulate: host.simulation !== null,
      keepsReceiveTime: host.inbox.keepsReceiveTime,
      settings: shownSettings(foundIn(config) ?? inspectConfig().found),
    },
    heapBytes: config.CONSOLE_MEMORY,
    host: () => consoleAnswers(host),
    log: log.child({ stage: 'console' }),
    onEnded: onConsoleEnded,
    onFault: faults.say,
  })
  const http = await startHttp({
    ...{ ...health, host: address, port },
    console: new ConsoleFront({
      process: console,
      isProxy: trustedPeer(config.HTTP_TRUSTED_PROXIES),
      onFault: faults.say,
    }),
    onFault: faults.say,
  })
  if (!isLoopback(address) && config.CONSOLE_OPERATOR_PASSWORD === null) {
    log.warn(
      { host: address },
      'Nobody can log in as operator: the console is reachable from other machines, but CONSOLE_OPERATOR_PASSWORD is not set',
    )
  }
  return {
    prepare: async () => {
      await console.place()
    },
    close: () => http.close(() => console.close()),
  }
}
