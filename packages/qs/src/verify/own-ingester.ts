import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Detours } from '../app/edges.ts'
import type { Variables } from '../config/load.ts'
import { QsError } from '../errors/qs-error.ts'

export interface OwnIngesterOptions {
  /** Override the settings of this process. */
  readonly settings: Variables
  readonly detours: Detours
  /** Set: it has a broker of its own, as qs up has, which admits only this login. */
  readonly login: { readonly username: string; readonly password: string } | null
}

/** `port`: of its own broker. */
export type FromChild =
  | { readonly kind: 'ready'; readonly port: number | null }
  | { readonly kind: 'failed'; readonly reason: string }

const CHILD = fileURLToPath(new URL(`./own-ingester-child${extname(import.meta.url)}`, import.meta.url))
const START_TIMEOUT_MS = 30_000

/** An ingester as a child process: it may be killed, and never outlives this process. */
export class OwnIngester {
  readonly #options: OwnIngesterOptions
  #child: ChildProcess | null = null
  #port: number | null = null

  constructor(options: OwnIngesterOptions) {
    this.#options = options
  }

  /** Of its own broker, which gets another one with each start; null: it has none. */
  get port(): number | null {
    return this.#port
  }

  /**
   * Settles when events can come.
   *
   * @throws Error with the reason why it cannot
   */
  async start(): Promise<void> {
    const child = fork(CHILD, [JSON.stringify(this.#options)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child = child
    const signal = AbortSignal.timeout(START_TIMEOUT_MS)
    const ended = once(child, 'exit', { signal }).then(([code]) => {
      throw new QsError('VERIFY_NOT_RUN', `The ingester ended with ${code}`)
    })
    const told = once(child, 'message', { signal }).then(([message]: FromChild[]) => {
      if (message?.kind === 'failed') throw new QsError('VERIFY_NOT_RUN', message.reason)
      this.#port = message?.port ?? null
    })
    for (const promise of [ended, told]) promise.catch(() => {})
    try {
      await Promise.race([ended, told])
    } catch (error) {
      if (!signal.aborted) throw error
      throw new QsError(
        'VERIFY_NOT_RUN',
        `The ingester did not reach the broker within ${START_TIMEOUT_MS / 1000} s`,
      )
    }
  }

  async kill(): Promise<void> {
    await this.#end((child) => child.kill('SIGKILL'))
  }

  /** Finishes events in flight, then ends. */
  async stop(): Promise<void> {
    await this.#end((child) => child.send({ kind: 'stop' }))
  }

  async #end(how: (child: ChildProcess) => void): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    if (child.connected) how(child)
    else child.kill('SIGKILL')
    await ended
  }
}
