import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { UsageError } from './flags.ts'
import type { Course, Group, Scenario } from './scenario.ts'
import { GROWTH_ROWS, growthScenarios, SCENARIOS } from './scenarios.ts'

export interface Options {
  readonly isQuick: boolean
  readonly isList: boolean
  readonly isMarkdown: boolean
  readonly rounds: number
  readonly scenarios: readonly Scenario[]
  readonly jsonFile: string | null
  readonly chartsDirectory: string | null
  readonly parentDirectory: string
  readonly profileDirectory: string | null
}

/** A larger window could use a packet identifier twice. */
const MAX_WINDOW = 60_000
const MAX_ROWS = 1_000_000_000

const GROUPS: Readonly<Record<Group, string>> = {
  goals: 'scenarios with goals, the original way and the COPY limit; the default: about 5 minutes',
  variety: 'devices, random ids, duplicates, cold start, backlog',
  scale: '1, 2 and 3 processes of qs ingest on a shared subscription',
  limits: 'what PostgreSQL and the broker can do alone',
  peers: 'the original way, Telegraf, Node-RED (built or installed once, outside the repository)',
  growth: 'the rate into a table of 0, 1, 10 and 50 million rows; most of an hour, never part of --all',
}

export const HELP = `Measures the whole path, from publish to device ack, and verifies it by counting rows.

  npm run bench -- [options]

  --group NAME     scenarios of this group; may be repeated
  --only NAME      this scenario; may be repeated
  --all            every scenario but growth
  --list           shows groups and scenarios
  --rounds N       runs the scenarios N times in turns and reports medians and ranges (default 1)
  --rows N,N,…     steps of growth (default ${GROWTH_ROWS.full.join(',')})
  --quick          small counts, for a first look and for CI: verifies everything, but its figures mean little
  --json FILE      also writes the report as JSON
  --markdown       prints the tables as Markdown
  --charts DIR     writes charts (SVG) there
  --dir DIR        directory for the files of PostgreSQL and Mosquitto (default: the system's temporary directory)
  --window N       the most events that may be sent but not acked yet (default 20000)
  --profile DIR    writes a CPU profile of each ingester there (.cpuprofile, opens in Chrome's DevTools)
  --help

Examples
  npm run bench                                        the goals, once
  npm run bench -- --only single-events --rounds 5
  npm run bench -- --all --rounds 3 --json report.json
  npm run bench -- --group growth --rows 0,1000000

Groups
${Object.entries(GROUPS)
  .map(([name, about]) => `  ${name.padEnd(16)} ${about}`)
  .join('\n')}

Environment
  BENCH_PYTHON     the Python of the original way (default /usr/bin/python3); it needs paho-mqtt and psycopg2
  DATABASE_WRITERS, BATCH_BYTES, IN_FLIGHT_MESSAGES, IN_FLIGHT_BYTES, ACK_QOS
                   are passed to the ingester

Exit codes: 0 every event is a row and was acked, 1 something is missing or failed, 2 wrong usage.
The report shows whether goals are met; the exit code does not. More in bench/README.md.`

/** A line for each scenario. */
export function listScenarios(scenarios: readonly Scenario[]): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length))
  return scenarios
    .map(({ name, about, groups }) => `${name.padEnd(width)}  ${groups.join(', ').padEnd(13)}  ${about}`)
    .join('\n')
}

/**
 * @returns null for --help
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): Options | null {
  const values = parse(args)
  if (values.help) return null
  const isQuick = values.quick ?? false
  const window = values.window === undefined ? null : integer('--window', values.window, [100, MAX_WINDOW])
  const steps = values.rows === undefined ? null : rowsOf(values.rows)
  const growth = growthScenarios(steps ?? GROWTH_ROWS[isQuick ? 'quick' : 'full'])
  const chosen = values.list ? [...SCENARIOS, ...growth] : choose([...SCENARIOS, ...growth], values)
  return {
    isQuick,
    isList: values.list ?? false,
    isMarkdown: values.markdown ?? false,
    rounds: integer('--rounds', values.rounds ?? '1', [1, 100]),
    scenarios: chosen.map((each) => (window === null ? each : withWindow(each, window))),
    jsonFile: values.json === undefined ? null : resolve(values.json),
    chartsDirectory: values.charts === undefined ? null : resolve(values.charts),
    parentDirectory: resolve(values.dir ?? tmpdir()),
    profileDirectory: values.profile === undefined ? null : resolve(values.profile),
  }
}

type Values = ReturnType<typeof parse>

function choose(scenarios: readonly Scenario[], { all, group = [], only = [] }: Values): readonly Scenario[] {
  const unknownGroup = group.find((name) => !(name in GROUPS))
  if (unknownGroup !== undefined) {
    throw new UsageError(`Unknown group ${unknownGroup}. Groups are ${Object.keys(GROUPS).join(', ')}.`)
  }
  const unknown = only.find((name) => !scenarios.some((scenario) => scenario.name === name))
  if (unknown !== undefined) throw new UsageError(`Unknown scenario ${unknown}. --list shows all.`)
  if (all && (group.length > 0 || only.length > 0))
    throw new UsageError('--all cannot be combined with --group or --only.')

  const groups: readonly string[] = group.length === 0 && only.length === 0 ? ['goals'] : group
  return scenarios.filter((scenario) => {
    if (all) return !scenario.groups.includes('growth')
    return only.includes(scenario.name) || scenario.groups.some((name) => groups.includes(name))
  })
}

/** A window of one stays as it is. */
function withWindow(scenario: Scenario, windowEvents: number): Scenario {
  const { course } = scenario
  if (!('windowEvents' in course) || course.windowEvents === 1) return scenario
  return { ...scenario, course: { ...course, windowEvents } satisfies Course }
}

function rowsOf(text: string): readonly number[] {
  const steps = text.split(',').map((part) => integer('--rows', part, [0, MAX_ROWS]))
  if (steps.every((step, place) => place === 0 || step > (steps[place - 1] as number))) return steps
  throw new UsageError(`--rows must increase, since the table only grows, but "${text}" does not.`)
}

function integer(name: string, text: string, [min, max]: readonly [number, number]): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value
  throw new UsageError(`${name} must be a whole number from ${min} to ${max}, not "${text}".`)
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        group: { type: 'string', multiple: true },
        only: { type: 'string', multiple: true },
        all: { type: 'boolean' },
        list: { type: 'boolean' },
        rounds: { type: 'string' },
        rows: { type: 'string' },
        quick: { type: 'boolean' },
        json: { type: 'string' },
        markdown: { type: 'boolean' },
        charts: { type: 'string' },
        dir: { type: 'string' },
        profile: { type: 'string' },
        window: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
