import type { BrokerOptions } from '@qs-telemetry/device'
import { AlertJob } from '../alerts/alert-job.ts'
import { BackupJob } from '../backup/backup-job.ts'
import { secretReader } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { LiveFeed } from '../console/live-feed.ts'
import { PipelineRates } from '../console/pipeline-rates.ts'
import type { SimulationService } from '../console/services.ts'
import { SimulatedDevices } from '../console/simulated-devices.ts'
import type { UnhandledTopicLog } from '../console/unhandled-topic-log.ts'
import { UnhandledWatch } from '../console/unhandled-watch.ts'
import { pipelineVitals } from '../console/vitals.ts'
import { ChosenSettings } from '../database/chosen-settings.ts'
import { silentWorkers } from '../database/citus-workers.ts'
import { InstanceLock } from '../database/instance-lock.ts'
import { migrate } from '../database/migrate.ts'
import { createPool, queryOnce } from '../database/pool.ts'
import { DeviceZones } from '../devices/device-zones.ts'
import type { EmbeddedBroker } from '../embedded/broker/embedded-broker.ts'
import { stepAside } from '../embedded/postgres/step-aside.ts'
import { currentUrl, type DatabaseUrl } from '../endpoints/database-url.ts'
import { type ServiceEndpoints, urlReader } from '../endpoints/endpoints.ts'
import { hasCode } from '../errors/qs-error.ts'
import { GapJob } from '../gaps/gap-job.ts'
import { HoursJob } from '../hours/hours-job.ts'
import { alarmCheck, brokerCheck, databaseCheck } from '../http/checks.ts'
import type { DirectIntake } from '../intake/direct-intake.ts'
import { injectedAcks } from '../letters/injections.ts'
import { SystemClock } from '../pipeline/clock.ts'
import type { DeviceBudgets } from '../pipeline/device-budgets.ts'
import type { IntakeEvents } from '../pipeline/intake.ts'
import { withResolvers } from '../pipeline/promises.ts'
import { applyKeepPolicy, keepPolicy } from '../segments/keep-policy.ts'
import { SealJob } from '../segments/seal-job.ts'
import { databaseFreeBytes } from '../storage/database-disk.ts'
import { diskSpaceOf } from '../telemetry/disk-space.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { hasStoredLately, lastStored } from './last-stored.ts'
import { createPipeline } from './pipeline.ts'
import { serve } from './serve.ts'
import { startAlarms } from './start-alarms.ts'
import { untilAvailable } from './until-available.ts'

export interface Ingester {
  /** Simulated devices for the console; null without the embedded broker. */
  readonly simulation: SimulationService | null
  /** Resolves with the reason when the ingester cannot continue. */
  readonly failed: Promise<Error>
  /** Resolves on the first connection to the broker. */
  readonly connected: Promise<void>
  /** Finishes work in progress; logs a warning if it could not. */
  stop(): Promise<void>
}

/** The same database under other roles. */
export interface EmbeddedDatabase {
  /** For migrations, and to remove the data of simulated devices; no service role may do either. */
  readonly ownerUrl: DatabaseUrl
  readonly consoleUrl: DatabaseUrl
}

export interface IngesterOptions {
  readonly log: Log
  readonly signal: AbortSignal
  /** Set with the embedded broker (qs up); `lan`: boards on the network reach it. */
  readonly embedded?: {
    readonly lan: boolean
    readonly broker: EmbeddedBroker
    /** Takes the events of the broker's clients. */
    readonly intake: DirectIntake
    /** The broker charges arriving messages. */
    readonly budgets: DeviceBudgets
    readonly unhandled: UnhandledTopicLog
    readonly database: EmbeddedDatabase
  }
}

/** Less than the 10 s after which an orchestrator kills the process. */
const DRAIN_TIMEOUT_MS = 5_000
const QUERY_TIMEOUT_MS = 2_000

/**
 * Starts the service: schema, pipeline, HTTP, in this order. Waits for a database that is down, slow or locked; fails
 * if the database refuses.
 *
 * @param signal ends the wait
 * @throws Error for the operator: a refused user, a port in use
 */
export async function startIngester(
  config: Config,
  { mqttUrl, databaseUrl }: ServiceEndpoints,
  { log, signal, embedded }: IngesterOptions,
): Promise<Ingester> {
  const waiting = { log, signal }
  const ownerUrl = embedded?.database.ownerUrl ?? databaseUrl
  await untilAvailable(() => bringUpToDate(ownerUrl, config, log), waiting)
  const { promise: nameLost, resolve: onLost } = withResolvers<Error>()
  const lock = new InstanceLock({ url: databaseUrl, name: config.MQTT_CLIENT_ID, log, onLost })
  await untilAvailable(() => lock.acquire(), waiting)
  const pool = createPool(databaseUrl, { timeoutMs: QUERY_TIMEOUT_MS })
  const zones = new DeviceZones((text) => queryOnce(pool, text), log)
  await untilAvailable(() => zones.start(), waiting)
  const chosen = new ChosenSettings(config, (text) => queryOnce(pool, text), log)
  await untilAvailable(() => chosen.start(), waiting)

  const timeZoneOf = (deviceId: string) => zones.get(deviceId)
  const live = new LiveFeed()
  const pipeline = createPipeline({
    ...{ config, mqttUrl, databaseUrl, timeZoneOf, chosen, log },
    lastStored: () => lastStored((text, values) => queryOnce(pool, text, values), config.MQTT_CLIENT_ID),
    ...(embedded && { budgets: embedded.budgets }),
    onCommitted: (batch, result) => live.committed(batch, result),
    ...(embedded && {
      openIntake: (events: IntakeEvents) => embedded.intake.attach(events, embedded.broker),
    }),
  })
  const { promise: consoleRefused, resolve: onConsoleRefused } = withResolvers<Error>()
  const failed = Promise.race([pipeline.failed, nameLost, consoleRefused])
  let failure: Error | null = null
  failed.then((error) => {
    failure = error
  })
  pipeline.metrics.watchProcess()
  const { registry } = pipeline.metrics
  const hours = new HoursJob({
    url: databaseUrl,
    clock: new SystemClock(),
    metrics: pipeline.metrics,
    log: log.child({ stage: 'hours' }),
  })
  const gaps = new GapJob({
    ...{ url: databaseUrl, clock: new SystemClock(), metrics: pipeline.metrics },
    log: log.child({ stage: 'gaps' }),
  })
  const ownsPostgres = embedded !== undefined && config.DATABASE_URL === null
  const sealing = new SealJob({
    ...{ url: databaseUrl, afterMs: config.SEAL_AFTER, clock: new SystemClock() },
    ...(ownsPostgres && { onConnect: stepAside }),
    freeBytes: (ask) => databaseFreeBytes(ask, ownsPostgres ? config.QS_DATA_DIR : null),
    onSealed: (events) => pipeline.metrics.sealedEvents.inc(events),
    onDropped: (events) => pipeline.metrics.droppedEvents.inc(events),
    log: log.child({ stage: 'sealing' }),
  })
  const backups = backupJob(config, ownerUrl, { metrics: pipeline.metrics, log })
  const alerts = new AlertJob({
    ...{ url: databaseUrl, clock: new SystemClock(), log: log.child({ stage: 'alerts' }) },
    broker: {
      ...{ url: mqttUrl, clientId: `${config.MQTT_CLIENT_ID}-alerts`, caFile: config.MQTT_CA_FILE },
      ...{ username: config.MQTT_USERNAME, password: secretReader(config, 'MQTT_PASSWORD') },
    },
    service: () => ({
      alarms: alarms.look(),
      disk: embedded === undefined ? null : diskSpaceOf(config.QS_DATA_DIR),
    }),
  })
  const clientId = `${config.MQTT_CLIENT_ID}-topics`
  const watch = new UnhandledWatch({ config, mqttUrl, clientId, clock: new SystemClock() })
  const alarms = startAlarms(pipeline, {
    ...{ config, mqttUrl, log },
    embedded: embedded?.broker,
    ...(!embedded && {
      events: {
        published: () => watch.events,
        areOthersStoring: () => hasStoredLately((text) => queryOnce(pool, text)),
      },
    }),
    differingHours: () => hours.differing,
    clockJump: () => sealing.clockJump,
    room: () => sealing.room,
    backups: () => backups?.health ?? null,
    brokenChannels: () => alerts.broken,
  })
  const endpoints = { mqttUrl, databaseUrl: embedded?.database.consoleUrl ?? databaseUrl }
  const rates = new PipelineRates(pipeline.accounting, pipeline.metrics)
  rates.start(new SystemClock())
  const simulation = embedded
    ? new SimulatedDevices({
        ...{ broker: brokerOf(config, mqttUrl), config, pipeline },
        ownerUrl: embedded.database.ownerUrl,
      })
    : null
  const unhandled = embedded?.unhandled ?? watch
  const http = await serve(config, {
    endpoints,
    host: {
      vitals: async () => pipelineVitals({ pipeline, rates, alarms: alarms.look, waiting: alarms.waiting }),
      live,
      liveProblem: () => null,
      unhandledTopics: () => unhandled.list(),
      inbox: injectedAcks(pipeline.inject),
      simulation,
    },
    embedded: embedded ?? null,
    onConsoleEnded: () => pipeline.metrics.consoleEnded.inc(),
    log,
    checks: {
      broker: brokerCheck(() => pipeline.status()),
      database: databaseCheck(() => silentWorkers(pool), log),
      alarms: alarmCheck(alarms.look),
    },
    failure: () => failure,
    metrics: async () => {
      alarms.look()
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  })
  const connected = pipeline.start()
  // After qs up the user opens the console next, and a console that refuses to start ends the start. On a server it may
  // never be opened: there the first request starts it.
  if (embedded) {
    connected
      .then(() => http.prepare())
      .catch((error) => {
        if (hasCode(error, 'CONSOLE_NOT_STARTED')) onConsoleRefused(error)
      })
  }
  hours.start()
  gaps.start()
  sealing.start()
  backups?.start()
  alerts.start()
  if (embedded === undefined) watch.start()

  return {
    failed,
    connected,
    simulation,
    stop: async () => {
      await simulation?.end()
      zones.stop()
      chosen.stop()
      await Promise.all([
        hours.stop(),
        gaps.stop(),
        sealing.stop(),
        alerts.stop(),
        backups?.stop(),
        watch.stop(),
      ])
      await alarms.stop()
      const isDrained = await pipeline.stop(DRAIN_TIMEOUT_MS)
      // With the embedded broker, the rest has no PUBACK: its devices keep it.
      if (!isDrained && embedded === undefined)
        log.warn('Not everything could be finished in time; the broker keeps the rest and sends it again')
      await http.close()
      rates.stop()
      await pool.end()
      lock.release()
    },
  }
}

/** null: none are scheduled. */
function backupJob(
  config: Config,
  ownerUrl: DatabaseUrl,
  { metrics, log }: { readonly metrics: Metrics; readonly log: Log },
): BackupJob | null {
  const { BACKUP_EVERY: everyMs, BACKUP_DIR: folder, BACKUP_KEEP: keep } = config
  if (everyMs === null) return null
  return new BackupJob({
    url: urlReader(config, 'BACKUP_DATABASE_URL', ownerUrl),
    ...{ folder, everyMs, keep, clock: new SystemClock(), metrics },
    log: log.child({ stage: 'backup' }),
  })
}

function brokerOf({ MQTT_USERNAME: username, MQTT_PASSWORD: password }: Config, url: string): BrokerOptions {
  return { url, ...(username !== null && { username }), ...(password !== null && { password }) }
}

async function bringUpToDate(databaseUrl: DatabaseUrl, config: Config, log: Log): Promise<void> {
  const applied = await migrate(currentUrl(databaseUrl), undefined, {
    onBusy: (migration) =>
      log.warn(
        { migration },
        'Another session holds a lock on a table that a migration changes; trying again',
      ),
    onWait: () => log.warn('Another process is changing the schema; waiting for it'),
  })
  if (applied.length > 0) log.info({ applied }, 'Brought the schema up to date')
  if (!(await applyKeepPolicy(currentUrl(databaseUrl), keepPolicy(config))))
    log.warn(
      'KEEP_EVENTS, KEEP_HOURS or KEEP_FREE differs from what the database has, which holds: this role may not change it. Run qs migrate with the same settings as the owner',
    )
}
