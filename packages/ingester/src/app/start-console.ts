import type { System } from '@qs-telemetry/protocol/api'
import { brokerUrlOf, deviceLogin } from '../accounts/device-login.ts'
import type { Config } from '../config/settings.ts'
import { QueryPool } from '../database/query-pool.ts'
import type { ConsoleServices, SimulationDesk } from '../http/console-services.ts'
import type { LiveFeed } from '../http/live-feed.ts'
import { AccountsDoor } from './accounts-door.ts'
import { deviceDesk } from './device-desk.ts'
import { type ServiceEndpoints, urlReader } from './endpoints.ts'
import { letterDesk } from './letter-desk.ts'
import { overviewOf } from './overview.ts'
import type { AckInbox } from './replay-letter.ts'
import type { Vitals } from './vitals.ts'

/** What differs between the console of an ingester, that of `qs up`, and one of its own. */
export interface ConsoleParts {
  readonly vitals: (read: QueryPool) => () => Promise<Vitals>
  readonly live: LiveFeed
  /** Why nothing is live, or null. */
  readonly liveProblem: () => string | null
  /** How a replay gets onto the way of fresh input. */
  readonly inbox: AckInbox
  /** Broker and database are ours and on this machine (qs up); `lan`: boards in the network reach the broker. */
  readonly embedded: { readonly lan: boolean } | null
  readonly simulation: ((write: QueryPool) => SimulationDesk) | null
}

export interface RunningConsole {
  readonly services: ConsoleServices
  stop(): Promise<void>
}

const VERSION = '0.1.0'
const [READERS, WRITERS] = [4, 4]

/** What the console stands on: connections of its own, and the doors that it is given. */
export function startConsole(
  config: Config,
  endpoints: ServiceEndpoints,
  parts: ConsoleParts,
): RunningConsole {
  const { mqttUrl, databaseUrl } = endpoints
  const { vitals, live, liveProblem, inbox, embedded } = parts
  // A broker that listens on loopback alone is reached there alone.
  const boards = embedded?.lan === false ? { ...config, MQTT_PUBLIC_URL: mqttUrl } : config
  const timeoutMs = config.CONSOLE_QUERY_TIMEOUT
  const writeUrl = urlReader(config, 'CONSOLE_DATABASE_URL', databaseUrl)
  const readUrl = urlReader(config, 'CONSOLE_READ_DATABASE_URL', writeUrl)
  const read = new QueryPool(readUrl, { name: 'qs-console-read', connections: READERS, timeoutMs })
  const write = new QueryPool(writeUrl, { name: 'qs-console', connections: WRITERS, timeoutMs })
  const simulation = parts.simulation?.(write) ?? null
  const accounts = new AccountsDoor(config, mqttUrl)
  const about = systemOf(boards, simulation !== null)
  return {
    services: {
      version: VERSION,
      system: async () => ({ ...about, ...(await accounts.state()), liveProblem: liveProblem() }),
      read,
      write,
      live,
      liveProblem,
      simulation,
      overview: overviewOf({
        read,
        vitals: vitals(read),
        dataDirectory: embedded === null ? null : config.QS_DATA_DIR,
      }),
      letters: letterDesk({ config, read, write, inbox }),
      devices: deviceDesk({ config: boards, accounts }),
    },
    stop: async () => {
      await simulation?.stop()
      await Promise.all([read.end(), write.end()])
    },
  }
}

function systemOf(config: Config, canSimulate: boolean) {
  const login = deviceLogin(config, '+', '')
  return {
    version: VERSION,
    mqttUrl: brokerUrlOf(login),
    eventsTopic: login.eventsTopic,
    acksTopic: config.ACK_TEMPLATE,
    deviceTimeZone: config.DEVICE_TIMEZONE,
    canSimulate,
  } satisfies Partial<System>
}
