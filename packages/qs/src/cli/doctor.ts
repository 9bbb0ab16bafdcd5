import { brokerUrls } from '@qs-telemetry/protocol'
import type { Command } from 'commander'
import pc from 'picocolors'
import { integer } from '../config/kinds.ts'
import { ConfigError, loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { checkBroker } from '../doctor/check-broker.ts'
import { checkDatabase } from '../doctor/check-database.ts'
import { checkHost } from '../doctor/check-host.ts'
import { type Finding, problem, type Status } from '../doctor/finding.ts'
import { brokerAccess } from '../endpoints/broker-options.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { counted } from '../telemetry/counted.ts'
import { parseWith } from './parse-option.ts'

interface Options {
  readonly queue: number
  readonly json?: true
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check the broker and its limits, database, disk, clock and permissions; say what to do')
    .option(
      '--queue <n>',
      'number of messages for the test of the broker queue',
      parseWith(integer(10, 1_000_000)),
      2000,
    )
    .option('--json', 'print [{"name","status","detail","advice"}]')
    .addHelpText(
      'after',
      `
Results: ok, warning, problem, or – for a check that could not run, with the reason. Exits with 1 on a problem.

Limits are tested, not only read: the doctor opens its own session, publishes small messages to its own topic
(below qs/v1/qs-doctor/events/check, which no ingester subscribes to), counts what comes back, and cleans up.
A running ingester is not disturbed. The broker of qs up has no queue between devices and database, so its queue is not
tested; qs verify tests its PUBACK.`,
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
  const access = brokerAccess(config)
  for (const url of brokerUrls(access.url)) yield* checkBroker(config, { ...access, url }, queue)
  try {
    yield* checkDatabase(findDatabaseUrl(config), config)
  } catch (error) {
    yield* wrongSettings(error)
  }
}

function* wrongSettings(error: unknown): Generator<Finding> {
  if (!(error instanceof ConfigError)) throw error
  for (const each of error.problems)
    yield problem('settings', each, 'Correct it in the environment or in .env; qs config lists all settings')
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
  const text = `${counted(problems, 'problem')}, ${counted(warnings, 'warning')}, ${count('ok')} ok, ${count('unknown')} not checked`
  console.log(`\n${problems > 0 ? pc.red(text) : warnings > 0 ? pc.yellow(text) : pc.green(text)}`)
}
