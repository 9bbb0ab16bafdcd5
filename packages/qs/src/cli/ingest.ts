import type { Command } from 'commander'
import { startIngester } from '../app/ingester.ts'
import { ConfigError, loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { findServiceEndpoints } from '../endpoints/endpoints.ts'
import { createLog } from '../telemetry/log.ts'
import { runUntilStopped } from './run-until-stopped.ts'

/** The embedded ones have an ingester already, that of `qs up`. */
function checkEndpoints(config: Config): void {
  const missing = (['MQTT_URL', 'DATABASE_URL'] as const).filter((name) => config[name] === null)
  if (missing.length > 0)
    throw new ConfigError(missing.map((name) => `${name} is not set, and qs ingest needs it`))
}

export function registerIngest(program: Command): void {
  program
    .command('ingest')
    .description('run the pipeline between your own broker (MQTT_URL) and your own PostgreSQL (DATABASE_URL)')
    .addHelpText(
      'after',
      `
Brings the schema up to date, then takes in events until it is stopped. Ctrl-C or SIGTERM: finishes what is
under way, at most 5 seconds, and exits 0. What is not finished stays with the broker and comes again.

Example
  MQTT_URL=mqtt://broker:1883 DATABASE_URL=postgresql://qs:secret@db/qs qs ingest

Several at once: give each its own MQTT_CLIENT_ID and all the same MQTT_EVENTS_TOPIC='$share/qs/qs/v1/+/events'.`,
    )
    .action(async () => {
      const config = loadConfig()
      checkEndpoints(config)
      const log = createLog(config.LOG_LEVEL)
      await runUntilStopped(log, async (signal) => {
        const ingester = await startIngester(config, findServiceEndpoints(config), { log, signal })
        return { failed: ingester.failed, stop: ingester.stop }
      })
    })
}
