import type { Config } from '../config/settings.ts'
import { startEmbeddedPostgres } from '../embedded/postgres/embedded-postgres.ts'
import type { DatabaseUrl } from '../endpoints/database-url.ts'
import { type EmbeddedRole, embeddedUrlReader, passwordFile } from '../endpoints/embedded-database-url.ts'
import { urlReader } from '../endpoints/endpoints.ts'
import type { Log } from '../telemetry/log.ts'
import type { EmbeddedDatabase } from './ingester.ts'
import { untilAvailable } from './until-available.ts'

/** The database of `qs up`. */
export interface StackDatabase extends EmbeddedDatabase {
  readonly ingesterUrl: DatabaseUrl
  /** For a person: the URL without its password, and where the password is. */
  readonly shown: { readonly url: string; readonly password: string }
  /** Ends what was started for it. */
  stop(): Promise<void>
}

/**
 * The PostgreSQL of DATABASE_URL, which is not contacted here; without it, the embedded one, which is started.
 *
 * With DATABASE_URL every service has the role in it, except a console with CONSOLE_DATABASE_URL.
 */
export async function openStackDatabase(
  config: Config,
  waiting: { readonly log: Log; readonly signal: AbortSignal },
): Promise<StackDatabase> {
  const { DATABASE_URL: url, QS_DATA_DIR: dataDir, POSTGRES_PORT: port } = config
  if (url !== null) {
    const current = urlReader(config, 'DATABASE_URL', url)
    return {
      ...{ ownerUrl: current, ingesterUrl: current, consoleUrl: current },
      shown: { url: withoutPassword(url), password: 'DATABASE_URL' },
      stop: async () => {},
    }
  }
  const postgres = await startEmbeddedPostgres({
    ...{ dataDir, port, log: waiting.log },
    patiently: (step) => untilAvailable(step, waiting),
  })
  const urlOf = (role: EmbeddedRole) => embeddedUrlReader(dataDir, port, role)
  return {
    ...{ ownerUrl: urlOf('qs'), ingesterUrl: urlOf('qs_ingester'), consoleUrl: urlOf('qs_console') },
    shown: { url: withoutPassword(postgres.url), password: passwordFile(dataDir) },
    stop: () => postgres.stop(),
  }
}

/** Without parameters too: `?password=…` is one. */
function withoutPassword(url: string): string {
  const shown = new URL(url)
  shown.password = ''
  shown.search = ''
  return shown.href
}
