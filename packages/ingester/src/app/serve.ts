import { isLoopback } from '../broker/loopback.ts'
import type { Config } from '../config/settings.ts'
import type { ConsoleServices } from '../http/console-services.ts'
import { gateOptions } from '../http/gate-options.ts'
import type { HealthOptions } from '../http/health.ts'
import type { HttpServer } from '../http/server.ts'
import type { Log } from '../telemetry/log.ts'

export interface ServeOptions extends HealthOptions {
  readonly services: ConsoleServices
  readonly log: Log
}

/** Health, metrics and the console, as the settings want them. @throws Error where the port is in use */
export async function serve(config: Config, options: ServeOptions): Promise<HttpServer> {
  const { services, log, ...health } = options
  const { HTTP_HOST: host, HTTP_PORT: port, CONSOLE_OPERATOR_PASSWORD: operatorPassword } = config
  // Only a process that serves pays for the libraries of it: half of the time that a command takes to start.
  const { startHttp } = await import('../http/server.ts')
  const http = await startHttp({
    ...health,
    host,
    port,
    trustedProxies: config.HTTP_TRUSTED_PROXIES?.split(',').map((each) => each.trim()) ?? [],
    console: {
      services,
      gate: gateOptions(config),
    },
  })
  if (!isLoopback(host) && operatorPassword === null) {
    log.warn(
      { host },
      'Nobody can log in to the console: it is open to other machines, and CONSOLE_OPERATOR_PASSWORD is not set',
    )
  }
  return http
}
