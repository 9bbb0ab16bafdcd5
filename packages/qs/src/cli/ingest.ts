import type { Command } from 'commander'
import { startIngester } from '../app/ingester.ts'
import { ConfigError, loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { findServiceEndpoints } from '../endpoints/endpoints.ts'
import { createLog } from '../telemetry/log.ts'
import { runUntilStopped } from './run-until-stopped.ts'

/** The embedded broker and database already have an ingester, that of `qs up`. */
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
Brings the schema up to date, then ingests events until stopped. On Ctrl-C or SIGTERM it takes at most 5 seconds to
finish what is in flight and exits with 0. Unfinished messages stay with the broker, which delivers them again.

Example
  MQTT_URL=mqtt://broker:1883 DATABASE_URL=postgresql://qs:secret@db/qs qs ingest

For several ingesters, give each its own MQTT_CLIENT_ID and all the same MQTT_EVENTS_TOPIC='$share/qs/qs/v1/+/events'.`,
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
