import { ConfigError, secretReader } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { currentUrl, type DatabaseUrl } from './database-url.ts'
import { embeddedDatabaseUrl } from './embedded-database-url.ts'

/** Endpoints of a service, which reconnects. */
export interface ServiceEndpoints {
  readonly mqttUrl: string
  readonly databaseUrl: DatabaseUrl
}

export interface Endpoints extends ServiceEndpoints {
  readonly mqttUrl: string
  readonly databaseUrl: string
}

/** The broker: MQTT_URL, or the embedded one on this machine. */
export function findMqttUrl(config: Config): string {
  return config.MQTT_URL ?? `mqtt://127.0.0.1:${config.MQTT_PORT}`
}

/**
 * The database: DATABASE_URL, or the embedded one whose password is in QS_DATA_DIR.
 *
 * @throws ConfigError if there is neither
 */
export function findDatabaseUrl(config: Config): string {
  const url = config.DATABASE_URL ?? embeddedDatabaseUrl(config.QS_DATA_DIR, config.POSTGRES_PORT)
  if (url !== null) return url
  throw new ConfigError([
    `DATABASE_URL is not set, and there is no embedded database in QS_DATA_DIR=${config.QS_DATA_DIR}. Set DATABASE_URL, or start qs up first.`,
  ])
}

export function findEndpoints(config: Config): Endpoints {
  return { mqttUrl: findMqttUrl(config), databaseUrl: findDatabaseUrl(config) }
}

/** Reads the URL of a setting, from its file each time; `otherwise` if it is not set. */
export function urlReader(
  config: Config,
  name: 'DATABASE_URL' | 'BACKUP_DATABASE_URL' | 'CONSOLE_DATABASE_URL' | 'CONSOLE_READ_DATABASE_URL',
  otherwise: DatabaseUrl,
): DatabaseUrl {
  const read = secretReader(config, name)
  return () => read() ?? currentUrl(otherwise)
}

/** The endpoints of a service, whose passwords may change while it runs. */
export function findServiceEndpoints(config: Config): ServiceEndpoints {
  const { mqttUrl, databaseUrl } = findEndpoints(config)
  return { mqttUrl, databaseUrl: urlReader(config, 'DATABASE_URL', databaseUrl) }
}
