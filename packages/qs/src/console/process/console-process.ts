import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { QsError } from '../../errors/qs-error.ts'
import type { Fault } from '../../http/fault-log.ts'
import type { Log } from '../../telemetry/log.ts'
import { answerCall } from './answer-calls.ts'
import type { ConsoleAnswers } from './console-answers.ts'
import type { FromConsole, StartOrder, ToConsole } from './messages.ts'

/** Port of a running console, and the token that it requires. */
export interface Place {
  readonly port: number
  readonly token: string
}

export interface ConsoleProcessOptions {
  readonly order: Omit<StartOrder, 'token'>
  /** Maximum heap size. */
  readonly heapBytes: number
  /** Makes the answers for one process of the console. */
  readonly host: () => ConsoleAnswers
  readonly log: Log
  /** Called when the process ends unexpectedly. */
  readonly onEnded: () => void
  /** Called for each request answered with 5xx. */
  readonly onFault: (fault: Fault) => void
}

const MAIN = fileURLToPath(new URL(`./main${extname(import.meta.url)}`, import.meta.url))
/** A small board under load needs 10 s to load the libraries. */
const START_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 3_000
const TAIL_CHARACTERS = 4_000
const stopping = () => new QsError('STOPPING', 'This process is stopping')
/** Flags of a debugger, profiler or test runner apply to the parent process only. */
const NOT_INHERITED = /^--(inspect|test|cpu-prof|heap-prof|max-old-space-size|heapsnapshot)/

/**
 * The console in its own process, started by the first request and again by the first request after it has ended.
 *
 * absent → starting → running → absent: a failed start and an ended process both lead back to absent, and the next
 * request tries again. The console has its own heap, so running out of memory ends this process and no other. A worker
 * thread cannot guarantee that: see docs/decisions.
 */
export class ConsoleProcess {
  readonly #options: ConsoleProcessOptions
  #place: Promise<Place> | null = null
  #child: ChildProcess | null = null
  /** The process refused to start and has reported why. */
  #hasRefused = false
  #isClosing = false

  constructor(options: ConsoleProcessOptions) {
    this.#options = options
  }

  get isClosing(): boolean {
    return this.#isClosing
  }

  /** Starts the process if needed. @returns where it listens @throws QsError with the reason why it cannot start */
  place(): Promise<Place> {
    if (this.#isClosing) return Promise.reject(stopping())
    this.#place ??= this.#start()
    return this.#place
  }

  /** Lets it finish its current requests, for a few seconds. */
  async close(): Promise<void> {
    this.#isClosing = true
    const child = this.#child
    if (child === null) return
    const ended = new Promise((resolve) => child.once('close', resolve))
    // A child that the parent disconnects never emits `close` (Node 20).
    if (child.connected) child.send({ kind: 'stop' } satisfies ToConsole, () => {})
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await ended
    clearTimeout(timer)
  }

  #start(): Promise<Place> {
    const { order, heapBytes, host: makeHost } = this.#options
    const token = randomBytes(32).toString('hex')
    const heapMb = Math.ceil(heapBytes / 1024 ** 2)
    const child = fork(MAIN, [], {
      execArgv: [
        ...process.execArgv.filter((flag) => !NOT_INHERITED.test(flag)),
        `--max-old-space-size=${heapMb}`,
      ],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child = child
    this.#hasRefused = false
    let tail = ''
    child.stderr?.on('data', (text: Buffer) => {
      tail = `${tail}${text}`.slice(-TAIL_CHARACTERS)
    })
    const host = makeHost()
    const send = (message: ToConsole) => {
      if (child.connected) child.send(message, () => {})
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS)
    const place = new Promise<Place>((resolve, reject) => {
      child.on('error', (error) =>
        reject(new QsError('CONSOLE_ENDED', `The console did not start: ${error.message}`)),
      )
      child.on('message', (message: FromConsole) => {
        if (message.kind === 'ready') {
          clearTimeout(timer)
          resolve({ port: message.port, token })
        } else if (message.kind === 'refused') {
          this.#hasRefused = true
          const refused = new QsError('CONSOLE_NOT_STARTED', `The console cannot start: ${message.reason}`)
          this.#options.log.error({ reason: message.reason, code: refused.code }, 'The console cannot start')
          reject(refused)
        } else if (message.kind === 'fault') this.#options.onFault(message.fault)
        else void answerCall(host, message, send)
      })
      child.on('close', (code, signal) => {
        clearTimeout(timer)
        host.close()
        this.#child = null
        this.#place = null
        if (!this.#isClosing && !this.#hasRefused) this.#report({ code, signal, tail })
        reject(this.#isClosing ? stopping() : new QsError('CONSOLE_ENDED', 'The console did not start'))
      })
    })
    send({ kind: 'start', order: { ...order, token } })
    return place
  }

  #report({ code, signal, tail }: { code: number | null; signal: string | null; tail: string }): void {
    this.#options.onEnded()
    const isOutOfMemory = /heap out of memory|heap limit/.test(tail)
    this.#options.log.warn(
      { code, signal, ...(!isOutOfMemory && { stderr: tail }) },
      isOutOfMemory
        ? 'The console needed more than CONSOLE_MEMORY and ended; the next request restarts it. Ingestion continues'
        : 'The console ended unexpectedly; the next request restarts it. Ingestion continues',
    )
  }
}
