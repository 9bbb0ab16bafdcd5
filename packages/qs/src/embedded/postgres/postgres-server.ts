import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, statSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { QsError } from '../../errors/qs-error.ts'
import type { Log } from '../../telemetry/log.ts'
import { stopOrphan } from './orphaned-postgres.ts'
import { type Account, runAs, serverEnvironment } from './postgres-account.ts'
import { boundLog, logTail } from './postgres-log.ts'
import { untilReady } from './postgres-ready.ts'

export interface ServerOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]]
  readonly cluster: string
  readonly account: Account | null
  readonly url: string
  readonly passwordFile: string
  readonly logFile: string
  readonly log: Log
}

const FAST_SHUTDOWN_MS = 20_000
const FIRST_BACKOFF_MS = 500
const LONGEST_BACKOFF_MS = 30_000
const STABLE_MS = 60_000
const LOG_CHECK_MS = 60_000
/** Time for backends to notice that their postmaster was killed. */
const OLD_BACKENDS_MS = 10_000

/**
 * The lifecycle of the PostgreSQL process.
 *
 *     starting → running ⇄ restarting
 *         └────────┴───────────┴────→ stopped
 *
 * - starting: `start()` waits until it answers; if it exits instead, `start()` fails with the end of its log.
 * - running: if it exits by itself, it is restarted. The pipeline retries meanwhile, so nothing is lost.
 * - restarting: with backoff, forever, since a full disk, for example, may be freed.
 * - stopped: for good. Fast shutdown: open transactions roll back, committed data is checkpointed.
 *
 * It has its own process group, since Ctrl-C in the terminal would otherwise end it before the pipeline has drained.
 */
export class PostgresServer {
  readonly #options: ServerOptions
  readonly #stopping = new AbortController()
  #child: ChildProcess | null = null
  #running = false
  #restarting: Promise<void> | null = null
  #startedAt = 0
  #backoffMs = FIRST_BACKOFF_MS
  #logStart = 0
  #logCheck: NodeJS.Timeout | undefined

  constructor(options: ServerOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    process.once('exit', this.#onExit)
    this.#logCheck = setInterval(
      () => boundLog(this.#options.logFile, this.#options.log),
      LOG_CHECK_MS,
    ).unref()
    try {
      await this.#launch()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    clearInterval(this.#logCheck)
    await this.#restarting
    await this.#endChild()
    process.off('exit', this.#onExit)
  }

  /** On process.exit() or an uncaught error, requests a shutdown as a last resort. */
  readonly #onExit = () => {
    this.#child?.kill('SIGINT')
  }

  async #launch(): Promise<void> {
    const deadline = performance.now() + OLD_BACKENDS_MS
    for (;;) {
      try {
        await this.#launchOnce()
        return
      } catch (error) {
        // The postmaster was killed and a backend has not noticed yet.
        const oldBackends = String(error).includes('shared memory block') && performance.now() < deadline
        if (!oldBackends || this.#stopping.signal.aborted) throw error
        await wait(100)
      }
    }
  }

  async #launchOnce(): Promise<void> {
    const { command, cluster, account, url, passwordFile, logFile, log } = this.#options
    await stopOrphan(cluster, log)
    boundLog(logFile, log)
    const output = openSync(logFile, 'a', 0o600)
    this.#logStart = statSync(logFile).size
    const [program, ...args] = command
    const child = spawn(program, args, {
      ...runAs(account),
      cwd: '/',
      env: serverEnvironment,
      stdio: ['ignore', output, output],
      detached: true,
    })
    closeSync(output)
    this.#child = child
    this.#startedAt = performance.now()
    let spawnError: Error | null = null
    child.once('error', (error) => {
      spawnError = error
    })
    child.once('exit', (code, signal) => this.#ended(code, signal))

    const check = () => {
      if (spawnError !== null) throw spawnError
      if (hasEnded(child)) {
        throw new QsError(
          'POSTGRES_START_FAILED',
          `PostgreSQL exited during start:\n${this.#tail().trimEnd()}\n`,
        )
      }
      this.#stopping.signal.throwIfAborted()
    }
    try {
      await untilReady(url, { check, passwordFile, log })
      check()
    } catch (error) {
      await this.#endChild()
      throw error
    }
    this.#running = true
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    if (!this.#running || this.#stopping.signal.aborted) return
    this.#running = false
    const tail = this.#tail()
    this.#options.log.error({ code, signal, tail }, 'PostgreSQL exited unexpectedly: restarting it')
    this.#restarting = this.#restart()
  }

  async #restart(): Promise<void> {
    if (performance.now() - this.#startedAt > STABLE_MS) this.#backoffMs = FIRST_BACKOFF_MS
    while (!this.#stopping.signal.aborted) {
      try {
        await wait(this.#backoffMs, undefined, { signal: this.#stopping.signal })
        this.#backoffMs = Math.min(this.#backoffMs * 2, LONGEST_BACKOFF_MS)
        await this.#launch()
        this.#options.log.info('PostgreSQL is running again')
        return
      } catch (error) {
        if (this.#stopping.signal.aborted) return
        this.#options.log.error(error, `PostgreSQL does not start; retrying in ${this.#backoffMs / 1000} s`)
      }
    }
  }

  async #endChild(): Promise<void> {
    const child = this.#child
    if (child === null || child.pid === undefined || hasEnded(child)) return
    const exit = once(child, 'exit')
    child.kill('SIGINT')
    const quit = setTimeout(() => {
      this.#options.log.warn(
        'PostgreSQL takes too long to stop: forcing it; it recovers from its WAL at the next start',
      )
      child.kill('SIGQUIT')
    }, FAST_SHUTDOWN_MS)
    await exit
    clearTimeout(quit)
  }

  #tail(): string {
    return logTail(this.#options.logFile, this.#logStart)
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
