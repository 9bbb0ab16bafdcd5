import type { BackupHealth } from '../alarms/backup-alarm.ts'
import { JobLease } from '../database/job-lease.ts'
import { currentUrl, type DatabaseUrl } from '../endpoints/database-url.ts'
import { logged } from '../errors/reason-of.ts'
import type { CallOff, Clock } from '../pipeline/clock.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { backup } from './backup.ts'
import { noteFailure, readBackupState } from './backup-state.ts'
import { removeOldBackups } from './remove-backups.ts'

/** After the start the ingester has other work. */
const FIRST_MS = 30_000
const LOOK_EVERY_MS = 60_000
const RETRY_MS = 10 * 60_000
const NO_WORRY: BackupHealth = { failure: null, dueSinceMs: null, ahead: [] }

export interface BackupJobOptions {
  /** The owner of the tables. */
  readonly url: DatabaseUrl
  readonly folder: string
  readonly everyMs: number
  readonly keep: number
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'backupTime'>
  readonly log: Log
}

/**
 * Makes a backup when the newest one in the folder is older than `everyMs`, whoever made that, and then removes old ones. One of
 * several ingesters does it: the one with the lease.
 */
export class BackupJob {
  readonly #options: BackupJobOptions
  readonly #lease = new JobLease('backupSchedule')
  readonly #stopping = new AbortController()
  #callOff: CallOff = () => {}
  #running: Promise<void> = Promise.resolve()
  #health: BackupHealth = NO_WORRY
  #retryAtMs = -Infinity

  constructor(options: BackupJobOptions) {
    this.#options = options
  }

  get health(): BackupHealth {
    return this.#health
  }

  start(): void {
    this.#next(FIRST_MS)
  }

  /** Discards a backup in progress. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#callOff()
    await this.#running
    this.#lease.release()
  }

  #next(ms: number): void {
    if (this.#stopping.signal.aborted) return
    this.#callOff = this.#options.clock.after(ms, () => {
      this.#running = this.#look().finally(() => this.#next(LOOK_EVERY_MS))
    })
  }

  async #look(): Promise<void> {
    const { url, folder, everyMs, clock, metrics, log } = this.#options
    // Without the database nothing can be saved; other alarms tell of that.
    const isOurs = await this.#lease.hold(currentUrl(url)).catch((error) => {
      log.debug(logged(error), 'The database cannot be asked who makes the backups')
      return null
    })
    if (isOurs === null) return
    const nowMs = clock.now().epochMs
    const { newestMs, ahead } = isOurs ? readBackupState(folder, nowMs) : { newestMs: null, ahead: [] }
    metrics.backupTime.set((newestMs ?? Number.NaN) / 1000)
    const dueMs = newestMs === null ? (this.#health.dueSinceMs ?? nowMs) : newestMs + everyMs
    if (!isOurs || nowMs < dueMs) {
      this.#health = { ...NO_WORRY, ahead }
      return
    }
    this.#health = { ...this.#health, dueSinceMs: dueMs, ahead }
    if (clock.monotonicMs() >= this.#retryAtMs) await this.#save().catch((error) => this.#fail(error))
  }

  async #save(): Promise<void> {
    const { url, folder, keep, clock, metrics, log } = this.#options
    const now = new Date(clock.now().epochMs)
    const { path, newBytes } = await backup({
      ...{ databaseUrl: currentUrl(url), folder, now, leaveOutOthers: false },
      ...{ signal: this.#stopping.signal, onRows: () => {} },
    })
    const removed = removeOldBackups(folder, { keep, made: path, nowMs: clock.now().epochMs })
    noteFailure(folder, null)
    this.#health = { ...this.#health, failure: null, dueSinceMs: null }
    metrics.backupTime.set(now.getTime() / 1000)
    log.info({ path, newBytes, removed: removed.length }, 'Made a backup')
  }

  #fail(error: unknown): void {
    if (this.#stopping.signal.aborted) return
    const { folder, clock, log } = this.#options
    const failure = (error as Error).message
    noteFailure(folder, failure)
    this.#health = { ...this.#health, failure }
    this.#retryAtMs = clock.monotonicMs() + RETRY_MS
    log.error(logged(error), 'The scheduled backup failed; the next try is in ten minutes')
  }
}
