import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Row, readRows } from './integrity/row.ts'
import { type CaseResult, failureOf, listCases, runCases } from './integrity/run-cases.ts'
import { table } from './integrity/table.ts'

const HELP = `Proves that an acknowledged event is a committed event, with real servers and real faults.

  npm run regression                          every case, about 15 minutes on two cores
  npm run regression -- --short               fewer repetitions and shorter outages, ten to twenty minutes; as CI does
  npm run regression -- --only postgres       cases whose name contains "postgres"
  npm run regression -- --list                the names of all cases
  npm run regression -- --markdown            the table as Markdown

Each case has a Mosquitto, a PostgreSQL and an ingester of its own, on free ports of this machine. Needs Mosquitto
(apt-get install mosquitto faketime); filling a disk needs root.
Exit codes: 0 nothing lost, duplicated or broken; 1 otherwise; 2 wrong usage. More in docs/reliability.md.`

const OPTIONS = {
  short: { type: 'boolean', default: false },
  only: { type: 'string', default: '' },
  list: { type: 'boolean', default: false },
  markdown: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

const CONCURRENCY = 2

function read() {
  try {
    return parseArgs({ options: OPTIONS }).values
  } catch (error) {
    return wrongUsage((error as Error).message)
  }
}

function wrongUsage(message: string): never {
  console.error(`error: ${message}\nSee npm run regression -- --help`)
  process.exit(2)
}

async function main(): Promise<void> {
  const { short: isShort, only, list, markdown, help } = read()
  if (help) return console.log(HELP)
  const names = listCases(only)
  if (names.length === 0) wrongUsage(`no case name contains "${only}"; --list shows them all`)
  if (list) return console.log(names.join('\n'))

  const interrupt = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort())
  const directory = mkdtempSync(join(tmpdir(), 'qs-regression-results-'))
  let ended = 0
  const results = await runCases(names, {
    isShort,
    directory,
    concurrency: CONCURRENCY,
    signal: interrupt.signal,
    onStart: (name) => console.error(`       ${name} …`),
    onEnd: (result) => {
      const { name, isOk, seconds } = result
      console.error(
        `${isOk ? 'ok    ' : 'FAILED'} ${name}, ${seconds.toFixed(0)} s (${++ended} of ${names.length})`,
      )
    },
  })

  const rows = readRows(directory)
  console.log(`\n${table(rows, markdown ? 'markdown' : 'text')}\n`)
  const faults = interrupt.signal.aborted ? ['interrupted'] : faultsOf(names, results, rows)
  if (faults.length === 0) {
    rmSync(directory, { recursive: true, force: true })
    return console.log(`${names.length} cases: nothing lost, nothing duplicated.`)
  }
  console.error(faults.map((fault) => `error: ${fault}`).join('\n'))
  console.error(`The logs are in ${directory}`)
  process.exitCode = 1
}

function faultsOf(
  names: readonly string[],
  results: readonly CaseResult[],
  rows: readonly Row[],
): readonly string[] {
  return [
    ...results.filter(({ isOk }) => !isOk).map((result) => `${result.name} failed:\n${failureOf(result)}`),
    ...names
      .filter((name) => !rows.some((row) => row.case === name))
      .map((name) => `${name} has no line in the table`),
    ...rows
      .filter(({ lost, doubled, broken }) => lost + doubled + broken > 0)
      .map(({ fault, lost, doubled, broken, violations }) => {
        const [first = ''] = violations
        return `${fault}: ${lost} lost, ${doubled} duplicated, ${broken} promises broken. The first: ${first}`
      }),
  ]
}

await main()
