import type { Command } from 'commander'
import pc from 'picocolors'
import { integer } from '../config/kinds.ts'
import { ConfigError, loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { checkBroker } from '../doctor/check-broker.ts'
import { checkDatabase } from '../doctor/check-database.ts'
import { checkHost } from '../doctor/check-host.ts'
import { type Finding, problem, type Status } from '../doctor/finding.ts'
import { brokerOptions } from '../endpoints/broker-options.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { parseWith } from './parse-option.ts'

interface Options {
  readonly queue: number
  readonly json?: true
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check broker, its limits, database, disk, clock and rights; say what to do')
    .option(
      '--queue <n>',
      'try the queue of the broker with so many messages',
      parseWith(integer(10, 1_000_000)),
      2000,
    )
    .option('--json', 'print [{"name","status","detail","advice"}]')
    .addHelpText(
      'after',
      `
ok, warning, problem, or – for what could not be checked, with the reason. Exits 1 where there is a problem.

Limits are tried, not only read: the doctor leaves a session of its own, publishes small messages to a topic of
its own (below qs/v1/qs-doctor/events/check, where no ingester listens), counts what comes back, and cleans up.
A running ingester is not disturbed.`,
    )
    .action(async ({ queue, json }: Options) => {
      const findings: Finding[] = []
      for await (const finding of examine(queue)) {
        findings.push(finding)
        if (!json) print(finding)
      }
      if (json) console.log(JSON.stringify(findings, null, 2))
      else printSummary(findings)
      if (findings.some(({ status }) => status === 'problem')) process.exitCode = 1
    })
}

async function* examine(queue: number): AsyncGenerator<Finding> {
  let config: Config
  try {
    config = loadConfig()
  } catch (error) {
    yield* wrongSettings(error)
    return
  }
  yield* checkHost(config)
  const { url, username, password, mqtt } = brokerOptions(config)
  const access = {
    url,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(mqtt?.ca instanceof Buffer && { ca: mqtt.ca }),
  }
  yield* checkBroker(config, access, queue)
  try {
    yield* checkDatabase(findDatabaseUrl(config), config)
  } catch (error) {
    yield* wrongSettings(error)
  }
}

function* wrongSettings(error: unknown): Generator<Finding> {
  if (!(error instanceof ConfigError)) throw error
  for (const each of error.problems)
    yield problem('settings', each, 'Set it right in the environment or in .env; qs config lists all')
}

const MARKS: Readonly<Record<Status, string>> = {
  ok: pc.green('ok'),
  warning: pc.yellow('warning'),
  problem: pc.red('problem'),
  unknown: pc.dim('–'),
}

function print({ name, status, detail, advice }: Finding): void {
  const mark = `${MARKS[status]}${' '.repeat(8 - (status === 'unknown' ? 1 : status.length))}`
  console.log(`${mark}${pc.bold(name.padEnd(28))} ${detail}`)
  if (advice !== null) console.log(`${' '.repeat(37)}→ ${advice}`)
}

function printSummary(findings: readonly Finding[]): void {
  const count = (wanted: Status) => findings.filter(({ status }) => status === wanted).length
  const [problems, warnings] = [count('problem'), count('warning')]
  const text = `${problems} problems, ${warnings} warnings, ${count('ok')} ok, ${count('unknown')} not checked`
  console.log(`\n${problems > 0 ? pc.red(text) : warnings > 0 ? pc.yellow(text) : pc.green(text)}`)
}
