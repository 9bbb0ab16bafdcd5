import type { Command } from 'commander'
import { startOwnConsole } from '../app/own-console.ts'
import { loadConfig } from '../config/load.ts'
import { findServiceEndpoints } from '../endpoints/endpoints.ts'
import { createLog } from '../telemetry/log.ts'
import { runUntilStopped } from './run-until-stopped.ts'

export function registerConsole(program: Command): void {
  program
    .command('console')
    .description('run only the console and its API, for ingesters that run elsewhere')
    .addHelpText(
      'after',
      `
qs up and qs ingest include the console. Use qs console on another machine, for several ingesters, or to keep
charts off the machine that ingests. It never ingests events and never migrates the schema.

  DATABASE_URL                 the ingesters' database; CONSOLE_DATABASE_URL: the same with its own role (qs_console)
  CONSOLE_READ_DATABASE_URL    a replica for charts and lists
  MQTT_URL                     for Live, replays, new devices and the broker's backlog; the rest works without it
  MQTT_USERNAME, MQTT_PASSWORD the operator, who may read every topic, publish for devices and create accounts
  HTTP_HOST, HTTP_PORT         127.0.0.1:8080. Any address but loopback requires a login:
  CONSOLE_OPERATOR_PASSWORD    may change things; CONSOLE_VIEWER_PASSWORD: read-only

Only each ingester knows its commit latency, its events in flight and its alarms: see its /metrics and /readyz.

Examples
  qs console                                            next to qs up: HTTP_PORT=8081 qs console
  DATABASE_URL=postgresql://qs_console:secret@db/qs MQTT_URL=mqtt://broker:1883 qs console
  HTTP_HOST=0.0.0.0 CONSOLE_VIEWER_PASSWORD="$(openssl rand -hex 12)" DATABASE_URL=… qs console`,
    )
    .action(async () => {
      const config = loadConfig()
      const log = createLog(config.LOG_LEVEL)
      await runUntilStopped(log, async () => {
        const { stop } = await startOwnConsole(config, findServiceEndpoints(config), { log })
        log.info(`The console is at http://${config.HTTP_HOST}:${config.HTTP_PORT}`)
        return { failed: new Promise<never>(() => {}), stop }
      })
    })
}
