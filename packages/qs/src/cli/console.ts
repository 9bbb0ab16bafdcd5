import type { Command } from 'commander'
import { startOwnConsole } from '../app/own-console.ts'
import { loadConfig } from '../config/load.ts'
import { findServiceEndpoints } from '../endpoints/endpoints.ts'
import { createLog } from '../telemetry/log.ts'
import { runUntilStopped } from './run-until-stopped.ts'

export function registerConsole(program: Command): void {
  program
    .command('console')
    .description('run only the console and its API, beside ingesters that run elsewhere')
    .addHelpText(
      'after',
      `
qs up and qs ingest have the console in them. This one is for another machine, for several ingesters, or to keep
charts away from the machine that takes events in. It never takes an event in itself, and brings no schema up to date.

  DATABASE_URL                 what the ingesters write to; CONSOLE_DATABASE_URL: with a role of its own (qs_console)
  CONSOLE_READ_DATABASE_URL    a replica for charts and lists
  MQTT_URL                     for Live, replays, new devices and the broker's backlog; all else works without it
  MQTT_USERNAME, MQTT_PASSWORD the operator's: it may read every topic, publish for devices and make accounts
  HTTP_HOST, HTTP_PORT         127.0.0.1:8080. Anything but loopback asks for a login:
  CONSOLE_OPERATOR_PASSWORD    who may change things; CONSOLE_VIEWER_PASSWORD: who may look

Commit latency, what is in flight and alarms are known to each ingester alone: its /metrics and /readyz tell them.

Examples
  qs console                                            beside qs up: HTTP_PORT=8081 qs console
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
