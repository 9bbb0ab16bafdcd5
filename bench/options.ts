import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SCENARIOS, type Scenario } from './scenarios.ts'

export interface Options {
  readonly isQuick: boolean
  readonly scenarios: readonly Scenario[]
  readonly jsonFile: string | null
  readonly parentDirectory: string
  readonly profileDirectory: string | null
  readonly autosaveChanges: number
}

export class UsageError extends Error {}

const AUTOSAVE_CHANGES = 1000
/** Above it a packet identifier could be in use twice. */
const MAX_WINDOW = 60_000

export const HELP = `Measures the whole path, from publish to device ack, and verifies it by counting rows.

  npm run bench -- [options]

  --only NAME      only this scenario; may be repeated
  --quick          small counts, for a first look and for CI: verifies all, its figures say little
  --json FILE      writes the report as JSON too
  --dir DIR        where PostgreSQL and Mosquitto keep their files (default: the system's temporary directory)
  --window N       events that devices have sent and that are not acked yet, at most (default 20000)
  --autosave N     autosave_interval of Mosquitto, in changes (default ${AUTOSAVE_CHANGES})
  --profile DIR    writes a CPU profile of each ingester there (.cpuprofile, opens in Chrome's DevTools)
  --help

Scenarios
${SCENARIOS.map(({ name, about }) => `  ${name.padEnd(24)} ${about}`).join('\n')}

Environment
  BENCH_PYTHON     the Python of the baseline (default /usr/bin/python3); it needs paho-mqtt and psycopg2
  DATABASE_WRITERS, BATCH_EVENTS, BATCH_BYTES, IN_FLIGHT_MESSAGES, IN_FLIGHT_BYTES, ACK_QOS
                   reach the ingester

Exit codes: 0 every event is a row and was acked, 1 something is missing or failed, 2 wrong usage.
Goals are judged in the report and not by the exit code. More in bench/README.md.`

/**
 * @returns null where help was asked for
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): Options | null {
  const values = parse(args)
  if (values.help) return null
  const names = values.only ?? SCENARIOS.map(({ name }) => name)
  for (const name of names) {
    if (SCENARIOS.some((scenario) => scenario.name === name)) continue
    const known = SCENARIOS.map((scenario) => scenario.name).join(', ')
    throw new UsageError(`There is no scenario ${name}. There are ${known}.`)
  }
  const window = values.window === undefined ? null : integer('--window', values.window, [100, MAX_WINDOW])
  return {
    isQuick: values.quick ?? false,
    scenarios: SCENARIOS.filter(({ name }) => names.includes(name)).map((each) => withWindow(each, window)),
    jsonFile: values.json === undefined ? null : resolve(values.json),
    parentDirectory: resolve(values.dir ?? tmpdir()),
    profileDirectory: values.profile === undefined ? null : resolve(values.profile),
    autosaveChanges: integer('--autosave', values.autosave ?? String(AUTOSAVE_CHANGES), [1, 1e9]),
  }
}

/** A lone event stays alone. */
function withWindow(scenario: Scenario, windowEvents: number | null): Scenario {
  return windowEvents === null || scenario.windowEvents === 1 ? scenario : { ...scenario, windowEvents }
}

function integer(name: string, text: string, [min, max]: readonly [number, number]): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new UsageError(`${name} is a whole number from ${min} to ${max}, not "${text}".`)
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true },
        quick: { type: 'boolean' },
        json: { type: 'string' },
        dir: { type: 'string' },
        profile: { type: 'string' },
        window: { type: 'string' },
        autosave: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
