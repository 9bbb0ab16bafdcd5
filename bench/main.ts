import { mkdirSync, statfsSync, writeFileSync } from 'node:fs'
import { UsageError } from './flags.ts'
import { GrowingDatabase } from './growth/growing-database.ts'
import { HELP, listScenarios, type Options, readOptions } from './options.ts'
import { writeCharts } from './report/charts.ts'
import { describeMachine } from './report/machine.ts'
import { Progress } from './report/progress.ts'
import type { Report } from './report/report.ts'
import { summarise } from './report/summary.ts'
import { headerLines, printMarkdown, printReport } from './report/text.ts'
import type { SubjectName } from './scenario.ts'
import { mosquittoVersion } from './stack/broker.ts'
import { startStack } from './stack/stack.ts'
import { askForOthers } from './subjects/not-to-be-had.ts'
import { tunedSettings } from './subjects/qs-command.ts'
import { SUBJECTS } from './subjects/subjects.ts'
import { runInTurns } from './turns.ts'

const interrupt = new AbortController()

async function bench(options: Options, command: string): Promise<boolean> {
  const { parentDirectory, rounds, isQuick } = options
  const { signal } = interrupt
  checkDisk(options)
  const progress = new Progress(process.stderr)
  const mosquitto = mosquittoVersion()
  const { versions, missing, present } = await probeSubjects(options, progress)
  const scenarios = options.scenarios.filter(({ subject }) => present.includes(subject))
  const machine = describeMachine(parentDirectory)
  progress.say('starting PostgreSQL')
  const stack = await startStack(options)
  let report: Report
  try {
    const facts = {
      date: new Date().toISOString(),
      command,
      isQuick,
      rounds,
      machine,
      versions: { Mosquitto: mosquitto, PostgreSQL: stack.database.version, ...versions },
      durability: stack.database.durability,
      settings: tunedSettings,
      subjects: present.map((name) => ({
        name,
        title: SUBJECTS[name].title,
        guarantee: SUBJECTS[name].guarantee,
      })),
      missing,
    }
    progress.clear()
    console.log(`${headerLines(facts).join('\n')}\n`)
    const runs = await runInTurns(stack, { scenarios, rounds, isQuick, signal, progress })
    report = { ...facts, scenarios, runs }
  } finally {
    progress.clear()
    await stack.stop()
  }
  show(report, options)
  return report.runs.every(({ faults }) => faults.length === 0)
}

function show(report: Report, { isMarkdown, jsonFile, chartsDirectory }: Options): void {
  const summaries = summarise(report)
  console.log(`\n${isMarkdown ? printMarkdown(report, summaries) : printReport(report, summaries)}`)
  if (jsonFile !== null) writeFileSync(jsonFile, `${JSON.stringify({ ...report, summaries }, null, 2)}\n`)
  if (chartsDirectory !== null) {
    mkdirSync(chartsDirectory, { recursive: true })
    for (const file of writeCharts([report], chartsDirectory)) console.log(`wrote ${file}`)
  }
}

async function probeSubjects({ scenarios }: Options, progress: Progress) {
  const names = [...new Set(scenarios.map(({ subject }) => subject))]
  const present: SubjectName[] = []
  const missing: string[] = []
  const versions: Record<string, string> = {}
  for (const name of names) {
    const probe = await SUBJECTS[name].probe((text) => progress.done(text))
    if ('missing' in probe) missing.push(`${SUBJECTS[name].title} is unavailable here: ${probe.missing}`)
    else {
      present.push(name)
      Object.assign(versions, probe.versions)
    }
  }
  if (names.includes('telegraf')) missing.push(...askForOthers())
  return { present, missing, versions }
}

/** @throws UsageError if the growing table would fill the disk */
function checkDisk({ scenarios, parentDirectory }: Options): void {
  const most = Math.max(0, ...scenarios.map(({ rowsThere }) => rowsThere ?? 0))
  if (most === 0) return
  const { bavail, bsize } = statfsSync(parentDirectory)
  const [need, free] = [GrowingDatabase.bytesFor(most), bavail * bsize]
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(0)} GB`
  const what = `Growth to ${most.toLocaleString('en')} rows needs ${gb(need)} in ${parentDirectory}`
  if (free < need)
    throw new UsageError(`${what}, but only ${gb(free)} are free: choose another --dir or fewer --rows.`)
  console.log(`${what}; ${gb(free)} are free.`)
}

function onSignal(): void {
  if (interrupt.signal.aborted) process.exit(130)
  console.error('\nStopping. Press Ctrl-C again to stop at once.')
  interrupt.abort(new Error('interrupted'))
}

try {
  const args = process.argv.slice(2)
  const options = readOptions(args)
  if (options === null) console.log(HELP)
  else if (options.isList) console.log(listScenarios(options.scenarios))
  else {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
    const command = ['npm run bench', ...(args.length === 0 ? [] : ['--', ...args])].join(' ')
    process.exitCode = (await bench(options, command)) ? 0 : 1
  }
} catch (error) {
  const isUsage = error instanceof UsageError
  console.error(`error: ${(error as Error).message}${isUsage ? ' See --help.' : ''}`)
  process.exitCode = interrupt.signal.aborted ? 130 : isUsage ? 2 : 1
}
