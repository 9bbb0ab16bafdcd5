import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { MUTANTS } from './mutants.ts'
import { runSeed, type SeedResult } from './run-seed.ts'
import { runSeeds } from './run-seeds.ts'

const HELP = `Runs the pipeline in simulated worlds full of faults, one for each seed, and checks every promise.

  npm run simulate-faults                       10,000 seeds; CI runs the first 4,000
  npm run simulate-faults -- --seeds 100000     more seeds
  npm run simulate-faults -- --from 5000000     other seeds
  npm run simulate-faults -- --seed 4711        one seed, with its full log
  npm run simulate-faults -- --mutants          plants faults into the code, each of which must be noticed

  --seeds N      number of seeds (default 10000)
  --from N       first seed (default 1)
  --seed N       run only this seed and print what happens
  --mutants      prove that the simulation notices faults
  --only TEXT    with --mutants: only those whose name contains TEXT
  --workers N    processes (default: one per core)
  --json         the report as JSON
  --help

Exit codes: 0 every promise held, 1 one was broken, 2 wrong usage. More in docs/reliability.md.`

/** A mutant must be noticed within this many seeds. */
const MUTANT_SEEDS = 1_000
const STORY_LINES = 60

const { values } = readOptions()
if (values.help) console.log(HELP)
else if (values.seed !== undefined) process.exitCode = await tellOne(numberOf('seed', values.seed))
else if (values.mutants) process.exitCode = await plantMutants(values.only ?? '')
else process.exitCode = await simulate()

async function simulate(): Promise<number> {
  const [from, count] = [numberOf('from', values.from), numberOf('seeds', values.seeds)]
  const sums = { seeds: 0, steps: 0, simulatedMs: 0, sends: 0, sent: 0, acked: 0, stored: 0, deadLetters: 0 }
  const startMs = performance.now()
  let saidMs = startMs
  const add = ({ steps, simulatedMs, tally }: SeedResult) => {
    sums.seeds++
    sums.steps += steps
    sums.simulatedMs += simulatedMs
    for (const [name, value] of Object.entries(tally)) sums[name as keyof typeof tally] += value
    if (performance.now() - saidMs < 10_000) return
    saidMs = performance.now()
    console.error(`${sums.seeds} of ${count} seeds`)
  }
  const failed = await runSeeds({ from, count, workers: workers(), onResult: add })
  const seconds = (performance.now() - startMs) / 1000
  const perMinute = Math.round((sums.seeds / seconds) * 60)
  if (values.json) {
    console.log(JSON.stringify({ ...sums, seconds, perMinute, failed }))
    return failed === null ? 0 : 1
  }
  if (failed !== null) {
    await tellOne(failed.seed, STORY_LINES)
    return 1
  }
  const hours = (sums.simulatedMs / 3_600_000).toFixed(1)
  console.log(
    `${sums.seeds} seeds in ${seconds.toFixed(0)} s (${perMinute} a minute, ${hours} simulated hours, ${sums.steps} steps).`,
  )
  console.log(
    `${sums.sent} events sent ${sums.sends} times, ${sums.acked} device acks; ${sums.stored} stored, ${sums.deadLetters} dead letters, 0 lost, 0 duplicated.`,
  )
  return 0
}

/** Runs one seed and prints its log, or the last lines of it. */
async function tellOne(seed: number, lines = Number.POSITIVE_INFINITY): Promise<number> {
  const story: string[] = []
  const { violations, simulatedMs } = await runSeed(seed, (line) => story.push(line))
  const left = Math.max(0, story.length - lines)
  if (left > 0) console.log(`… ${left} earlier lines; the command below shows all`)
  for (const line of story.slice(left)) console.log(line.slice(0, process.stdout.isTTY ? 200 : 1_000))
  const verdict = violations.length === 0 ? 'every promise held' : `BROKEN: ${violations[0]}`
  console.log(`\nSeed ${seed}, ${(simulatedMs / 1000).toFixed(1)} simulated seconds: ${verdict}`)
  if (violations.length > 0) console.log(`To repeat exactly: npm run simulate-faults -- --seed ${seed}`)
  return violations.length === 0 ? 0 : 1
}

async function plantMutants(part: string): Promise<number> {
  const mutants = MUTANTS.filter(({ name }) => name.includes(part))
  if (mutants.length === 0) return usage(`no mutant name contains "${part}"`)
  const waiting = [...mutants]
  const survivors: string[] = []
  const work = async () => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      let seeds = 0
      const count = { from: 1, count: MUTANT_SEEDS, workers: 1, onResult: () => seeds++ }
      const failed = await runSeeds({ ...count, mutant })
      if (failed === null) survivors.push(mutant.name)
      console.log(
        failed === null
          ? `SURVIVED  ${mutant.name}: not noticed in ${seeds} seeds`
          : `noticed   ${mutant.name}: at seed ${seeds}, "${failed.violations[0]?.slice(0, 110)}"`,
      )
    }
  }
  await Promise.all(Array.from({ length: workers() }, work))
  console.log(`${mutants.length - survivors.length} of ${mutants.length} planted faults were noticed.`)
  return survivors.length === 0 ? 0 : 1
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string', default: '10000' },
        from: { type: 'string', default: '1' },
        seed: { type: 'string' },
        mutants: { type: 'boolean', default: false },
        only: { type: 'string' },
        workers: { type: 'string', default: String(availableParallelism()) },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    return process.exit(usage((error as Error).message))
  }
}

function workers(): number {
  return numberOf('workers', values.workers)
}

function numberOf(name: string, text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1) {
    process.exit(usage(`--${name} takes a whole number from 1, not ${text}`))
  }
  return number
}

function usage(problem: string): number {
  console.error(`error: ${problem}\nSee npm run simulate-faults -- --help`)
  return 2
}
