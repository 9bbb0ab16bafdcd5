import type { System } from '@qs-telemetry/protocol/api'
import { brokerUrlOf, deviceLogin } from '../accounts/device-login.ts'
import type { Config } from '../config/settings.ts'
import type { ShownSetting } from '../config/shown-settings.ts'
import { VERSION } from '../config/version.ts'
import { QueryPool } from '../database/query-pool.ts'
import { type ServiceEndpoints, urlReader } from '../endpoints/endpoints.ts'
import { storageOptions } from '../storage/storage-options.ts'
import { storageReport } from '../storage/storage-report.ts'
import { BrokerAccounts } from './broker-accounts.ts'
import { deviceService } from './device-service.ts'
import { kept } from './kept.ts'
import { letterService } from './letter-service.ts'
import { overviewOf } from './overview.ts'
import type { ConsoleHost } from './process/console-host.ts'
import type { ConsoleServices, SettingService, SimulationService } from './services.ts'
import { settingService } from './setting-service.ts'

export interface ConsoleParts {
  /** The process that started the console. */
  readonly host: ConsoleHost
  /** The broker belongs to the process that started the console (qs up); `lan`: boards in the network can reach it. */
  readonly embedded: { readonly lan: boolean } | null
  readonly canSimulate: boolean
  /** Property of the host's inbox. */
  readonly keepsReceiveTime: boolean
  /** Those of the process that started the console. */
  readonly settings: readonly ShownSetting[]
}

const [READERS, WRITERS] = [4, 4]
/** Counts all segments, so not for every open page. */
const STORAGE_KEEP_MS = 60_000

/** The services for the routes of the console: its own database connections, and the process that started it. */
export function consoleServices(
  config: Config,
  endpoints: ServiceEndpoints,
  parts: ConsoleParts,
): ConsoleServices {
  const { mqttUrl, databaseUrl } = endpoints
  const { host, embedded, canSimulate, keepsReceiveTime } = parts
  const isIngester = keepsReceiveTime
  // A broker that listens only on loopback can only be reached there.
  const boards = embedded?.lan === false ? { ...config, MQTT_PUBLIC_URL: mqttUrl } : config
  const timeoutMs = config.CONSOLE_QUERY_TIMEOUT
  const writeUrl = urlReader(config, 'CONSOLE_DATABASE_URL', databaseUrl)
  const readUrl = urlReader(config, 'CONSOLE_READ_DATABASE_URL', writeUrl)
  const read = new QueryPool(readUrl, { name: 'qs-console-read', connections: READERS, timeoutMs })
  const write = new QueryPool(writeUrl, { name: 'qs-console', connections: WRITERS, timeoutMs })
  const accounts = new BrokerAccounts(config, mqttUrl)
  const about = systemOf(boards, canSimulate)
  const settings = settingService({ settings: parts.settings, isIngester, write })
  const dataDirectory = embedded === null || config.DATABASE_URL !== null ? null : config.QS_DATA_DIR
  const storage = kept(STORAGE_KEEP_MS, () =>
    storageReport(read, { ...storageOptions(config), dataDirectory }),
  )
  return {
    version: VERSION,
    system: async () => ({
      ...about,
      ...(await deviceZone(settings, config)),
      ...(await accounts.state()),
      liveProblem: await host.liveProblem(),
    }),
    read,
    write,
    host,
    simulation: canSimulate ? simulationOf(host) : null,
    overview: overviewOf({ read, vitals: () => host.vitals(), storage }),
    storage,
    letters: letterService({ config, read, write, inbox: { keepsReceiveTime, publish: host.publish } }),
    devices: deviceService({ config: boards, accounts, write }),
    settings,
  }
}

function simulationOf(host: ConsoleHost): SimulationService {
  return {
    state: () => host.simulationState(),
    start: () => host.startSimulation(),
    stop: () => host.stopSimulation(),
    remove: () => host.removeSimulated(),
  }
}

/** Without the database, which the pages then say, the zone of the settings. */
async function deviceZone(settings: SettingService, { DEVICE_TIMEZONE }: Config) {
  const shown = await settings.list().catch(() => null)
  const zone = shown?.settings.find(({ name }) => name === 'DEVICE_TIMEZONE')
  return {
    deviceTimeZone: zone?.value ?? DEVICE_TIMEZONE,
    isTimeZoneChosen: zone?.source !== 'default',
    machineTimeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  }
}

function systemOf(config: Config, canSimulate: boolean) {
  const login = deviceLogin(config, '+', '')
  return {
    version: VERSION,
    mqttUrl: brokerUrlOf(login),
    eventsTopic: login.eventsTopic,
    acksTopic: config.ACK_TEMPLATE,
    canSimulate,
  } satisfies Partial<System>
}
