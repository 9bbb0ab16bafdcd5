import { writeFileSync } from 'node:fs'
import { mosquittoVersion } from './broker.ts'
import { describeMachine } from './machine.ts'
import { HELP, type Options, readOptions, UsageError } from './options.ts'
import { Progress } from './progress.ts'
import { judge, printHeader, printReport, type Report, ratioOf } from './report.ts'
import { type Result, runScenario } from './run-scenario.ts'
import { startStack } from './stack.ts'
import { probeBaseline, tunedSettings } from './subject.ts'

const interrupt = new AbortController()

async function bench(options: Options): Promise<boolean> {
  const progress = new Progress(process.stderr)
  const mosquitto = mosquittoVersion()
  const baseline = probeBaseline()
  const hasBaseline = 'versions' in baseline
  const machine = describeMachine(options.parentDirectory)
  progress.say('starting PostgreSQL')
  const stack = await startStack(options)
  const results: Result[] = []
  let facts: Omit<Report, 'results'>
  try {
    facts = {
      date: new Date().toISOString(),
      isQuick: options.isQuick,
      machine,
      versions: {
        Node: process.versions.node,
        Mosquitto: mosquitto,
        PostgreSQL: stack.database.version,
        ...(hasBaseline && baseline.versions),
      },
      durability: stack.database.durability,
      autosaveChanges: options.autosaveChanges,
      settings: tunedSettings,
      baselineMissing: hasBaseline ? null : baseline.missing,
    }
    progress.clear()
    console.log(`${printHeader(facts)}\n`)
    for (const scenario of options.scenarios) {
      if (scenario.subject === 'one-by-one' && !hasBaseline) continue
      progress.say(`${scenario.name}: starting`)
      const result = await runScenario(stack, scenario, {
        counts: options.isQuick ? scenario.events.quick : scenario.events.full,
        signal: interrupt.signal,
        onProgress: (stored, events) => progress.say(`${scenario.name}: ${percent(stored, events)} acked`),
      })
      progress.done(`${scenario.name}: ${summary(result)}`)
      results.push(result)
    }
  } finally {
    progress.clear()
    await stack.stop()
  }

  const report: Report = { ...facts, results }
  console.log(`\n${printReport(report)}`)
  if (options.jsonFile !== null)
    writeFileSync(options.jsonFile, `${JSON.stringify(asJson(report), null, 2)}\n`)
  return results.every(({ faults }) => faults.length === 0)
}

function percent(part: number, whole: number): string {
  return `${Math.floor((100 * part) / whole)} %`
}

function summary({ measures, faults }: Result): string {
  if (measures === null || faults.length > 0) return 'FAILED'
  return `${Math.round(measures.eventsPerSecond).toLocaleString('en')} events/s`
}

function asJson(report: Report) {
  const results = report.results.map((result) => {
    const { scenario, counts, measures, faults } = result
    const goals = scenario.goals.map((goal) => ({ ...goal, met: measures && judge(goal, measures) }))
    return {
      scenario: scenario.name,
      windowEvents: scenario.windowEvents,
      counts,
      measures,
      goals,
      ratio: ratioOf(result, report.results),
      faults,
    }
  })
  return { ...report, results }
}

function onSignal(): void {
  if (interrupt.signal.aborted) process.exit(130)
  console.error('\nStopping. Once more: at once.')
  interrupt.abort(new Error('interrupted'))
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === null) console.log(HELP)
  else {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
    process.exitCode = (await bench(options)) ? 0 : 1
  }
} catch (error) {
  const isUsage = error instanceof UsageError
  console.error(`error: ${(error as Error).message}${isUsage ? ' --help tells more.' : ''}`)
  process.exitCode = interrupt.signal.aborted ? 130 : isUsage ? 2 : 1
}
