import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface CaseResult {
  readonly name: string
  readonly isOk: boolean
  readonly seconds: number
  /** The output of the case. */
  readonly logFile: string
}

export interface RunOptions {
  readonly isShort: boolean
  /** Directory for rows and logs. */
  readonly directory: string
  /** Number of concurrent cases; they mostly wait. */
  readonly concurrency: number
  readonly signal: AbortSignal
  readonly onStart: (name: string) => void
  readonly onEnd: (result: CaseResult) => void
}

const FOLDER = fileURLToPath(new URL('.', import.meta.url))
const SUFFIX = '.case.ts'
/** These take so long that all others run in the meantime. */
const LONGEST = ['postgres-away-ten-minutes', 'attack', 'ingester-killed', 'up-killed', 'backlog']
/** 200 kills and as many starts take half of it on two slow cores. */
const TIMEOUT_MS = 40 * 60_000

/** The names of all cases, or of those that contain a part; the longest first. */
export function listCases(part = ''): readonly string[] {
  const names = readdirSync(FOLDER)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .filter((name) => name.includes(part))
    .sort()
  return [
    ...LONGEST.filter((name) => names.includes(name)),
    ...names.filter((name) => !LONGEST.includes(name)),
  ]
}

/** Runs cases, each in a process of node's test runner, a few at once. */
export async function runCases(
  names: readonly string[],
  options: RunOptions,
): Promise<readonly CaseResult[]> {
  const waiting = [...names]
  const results: CaseResult[] = []
  const worker = async () => {
    for (let name = waiting.shift(); name !== undefined && !options.signal.aborted; name = waiting.shift()) {
      options.onStart(name)
      const result = await runCase(name, options)
      results.push(result)
      options.onEnd(result)
    }
  }
  await Promise.all(Array.from({ length: options.concurrency }, worker))
  return results
}

async function runCase(name: string, { isShort, directory, signal }: RunOptions): Promise<CaseResult> {
  const startMs = performance.now()
  const logFile = join(directory, `${name}.log`)
  const log = createWriteStream(logFile)
  const runner = spawn(
    process.execPath,
    [
      ...['--import', 'tsx', '--conditions=source', '--test', '--test-reporter=spec'],
      `--test-timeout=${TIMEOUT_MS}`,
      join(FOLDER, `${name}${SUFFIX}`),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, QS_REGRESSION_RESULTS: directory, QS_REGRESSION_SHORT: isShort ? '1' : '0' },
    },
  )
  const stop = () => runner.kill()
  signal.addEventListener('abort', stop)
  runner.stdout.pipe(log, { end: false })
  runner.stderr.pipe(log, { end: false })
  const [code] = (await once(runner, 'close')) as [number | null]
  signal.removeEventListener('abort', stop)
  log.end()
  await once(log, 'finish')
  return { name, isOk: code === 0, seconds: (performance.now() - startMs) / 1000, logFile }
}

/** The part of a log that describes the failure. */
export function failureOf({ logFile }: CaseResult): string {
  const text = readFileSync(logFile, 'utf8')
  const at = text.indexOf('failing tests:')
  return (at < 0 ? text.slice(-4_000) : text.slice(at, at + 4_000)).trim()
}
