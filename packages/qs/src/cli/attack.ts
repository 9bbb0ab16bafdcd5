import { setTimeout as delay } from 'node:timers/promises'
import { brokerUrls } from '@qs-telemetry/protocol'
import { type Command, Option } from 'commander'
import pc from 'picocolors'
import { accountTopics, operatorLogin } from '../accounts/operator-login.ts'
import type { ConsoleAccess } from '../attack/attack.ts'
import { ATTACKS } from '../attack/attacks.ts'
import { ConsoleTarget } from '../attack/console-target.ts'
import { removeRun } from '../attack/remove-run.ts'
import { type AttackResult, runAttacks } from '../attack/run-attacks.ts'
import { setUp } from '../attack/set-up.ts'
import { integer } from '../config/kinds.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { withClient } from '../database/open-client.ts'
import { answeringNode } from '../doctor/answering-node.ts'
import { brokerAccess } from '../endpoints/broker-options.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { isLoopback } from '../endpoints/loopback.ts'
import { QsError } from '../errors/qs-error.ts'
import { compareWithDatabase } from '../verify/verification.ts'
import { finish, printCalm, printResult } from './attack-output.ts'
import { parseWith } from './parse-option.ts'
import { removeRows } from './remove-rows.ts'

interface Options {
  readonly only: string
  /** Seconds. */
  readonly maxWait?: number
  readonly console?: string
  readonly list?: true
  readonly yes?: true
  readonly json?: true
  readonly keep?: true
}

/** Longest wait of the honest device for a device ack: with the broker of qs up, and with any other. */
const [EMBEDDED_WAIT_MS, OTHER_WAIT_MS] = [1_000, 5_000]
/** How long the honest device is measured before any attack, since the machine may itself be slow. */
const CALM_MS = 3_000

export function registerAttack(program: Command): void {
  program
    .command('attack')
    .description('attack your own set-up as a faulty or hostile board and a stranger would; report what held')
    .option('--only <text>', 'only attacks whose name contains this text', '')
    .option('--console <url>', 'URL of the console; default: HTTP_PORT on this machine')
    .option(
      '--max-wait <seconds>',
      'longest wait of the honest device for an ack; default 1 with the broker of qs up, else 5',
      parseWith(integer(1, 600)),
    )
    .addOption(new Option('--yes', 'attack even if the broker is not on this machine'))
    .option('--list', 'list the attacks and exit')
    .option('--keep', 'leave the rows in the database')
    .option(
      '--json',
      'print {"calm":{"sent","slowest_ms"},"attacks":[{"name","about","verdict","sent","slowest_ms"}],"verification"}',
    )
    .addHelpText(
      'after',
      `
An honest device sends an event every 100 ms, for the first three seconds without an attack. The system holds against an
attack if the attack's own check passes and no device ack takes longer than --max-wait. A run takes about a minute and
loads the machine. Floods run as fast as the broker of qs up reads, or at 1 MiB/s with another broker, which cannot slow
a board down. All accounts, device ids and event ids begin with qs-attack- and are removed at the end, with their rows
if the role in DATABASE_URL may delete them. This takes 20 s, since the ingester writes the last-seen time of a device
that late. Other devices are not touched, but wait as long as the honest one does.

Exits with 1 if an attack gets through, or if an acked event of the honest device is not in the database.
Attack only systems that you own. docs/security.md describes each attack.

Examples
  qs attack                                                      beside qs up
  qs attack --only flood
  docker compose run --rm qs attack --yes --console http://ingester:8080`,
    )
    .action(async (options: Options) => {
      const attacks = ATTACKS.filter(({ name }) => name.includes(options.only))
      if (options.list)
        return console.log(attacks.map(({ name, about }) => `${name.padEnd(24)} ${about}`).join('\n'))
      if (attacks.length === 0)
        throw new QsError(
          'WRONG_USAGE',
          `No attack has "${options.only}" in its name. qs attack --list shows all names`,
        )
      const config = loadConfig()
      const operator = operatorLogin(config)
      for (const url of brokerUrls(operator.url)) checkOwn(url, options)
      const { url } = await answeringNode(brokerAccess(config))
      const login = { ...operator, url }
      const target = await setUp({
        operator: login,
        topics: accountTopics(config),
        maxWaitMs: maxWaitMs(config, options),
      })
      try {
        await withClient(findDatabaseUrl(config), async (database) => {
          await target.honest.start()
          const { experience: calm } = await target.honest.during(() => delay(CALM_MS))
          if (!options.json) printCalm(calm)
          const site = await openConsole(config, options)
          const results: AttackResult[] = []
          const all = { ...target, config, database, console: site }
          for await (const result of runAttacks(attacks, all)) {
            results.push(result)
            if (!options.json) printResult(result)
          }
          await target.honest.stop()
          const verification = await compareWithDatabase(
            database,
            target.honest.sent,
            target.honest.deviceAcks,
          )
          finish(results, verification, {
            calm,
            json: options.json ?? false,
            notRun: attacks.length - results.length,
          })
          const { run } = target
          const onWait = (ms: number) => {
            if (!options.json) console.log(pc.dim(`Removing the rows of ${run}, ${Math.round(ms / 1_000)} s`))
          }
          if (!options.keep) await removeRows(run, () => removeRun(database, run, onWait))
        })
      } finally {
        await target.remove()
      }
    })
}

function checkOwn(url: string, { yes }: Options): void {
  const { hostname } = new URL(url)
  if (isLoopback(hostname) || yes) return
  throw new QsError(
    'CONFIRMATION_NEEDED',
    `The broker ${hostname} is not on this machine. Attack only brokers that you own.`,
  )
}

function maxWaitMs({ MQTT_URL }: Config, { maxWait }: Options): number {
  if (maxWait !== undefined) return maxWait * 1_000
  return MQTT_URL === null ? EMBEDDED_WAIT_MS : OTHER_WAIT_MS
}

/** @throws QsError if the console at `--console` does not answer, or refuses the password of the settings */
async function openConsole(config: Config, options: Options): Promise<ConsoleAccess | null> {
  const url = options.console ?? `http://127.0.0.1:${config.HTTP_PORT}`
  const stranger = await ConsoleTarget.open(url)
  if (stranger === null) {
    if (options.console === undefined) return null
    throw new QsError('CONSOLE_UNREACHABLE', `No console answers at ${url}`)
  }
  const isOpen = !(await stranger.isLoginNeeded())
  return { stranger, isOpen, user: isOpen ? stranger : await logIn(stranger, config) }
}

async function logIn(stranger: ConsoleTarget, config: Config): Promise<ConsoleTarget | null> {
  const { CONSOLE_VIEWER_PASSWORD: viewer, CONSOLE_OPERATOR_PASSWORD: operator } = config
  if (viewer !== null) return stranger.logIn('viewer', viewer)
  return operator === null ? null : stranger.logIn('operator', operator)
}
