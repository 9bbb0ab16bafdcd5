import type { Command } from 'commander'
import pc from 'picocolors'
import { integer } from '../config/kinds.ts'
import { loadConfig } from '../config/load.ts'
import { withClient } from '../database/open-client.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { BrokerInbox } from '../letters/broker-inbox.ts'
import { countLetters } from '../letters/letter-filter.ts'
import { replayAll } from '../letters/replay-all.ts'
import { type ReplayResult, replayLetter } from '../letters/replay-letter.ts'
import { newestLetterId, takeLetters } from '../letters/take-letters.ts'
import { oneLine } from '../telemetry/visible.ts'
import { checkFilter, type FilterOptions, filterOf, withFilter } from './deadletter-filter.ts'
import { parseWith } from './parse-option.ts'
import { progress } from './progress.ts'

interface Options extends FilterOptions {
  readonly all?: true
  readonly again?: true
  readonly dryRun?: true
  readonly now?: true
  readonly timeout: number
  readonly json?: true
}

export function registerReplay(deadLetter: Command): void {
  withFilter(deadLetter.command('replay'))
    .description('send dead letters again, repaired or not, and wait for their device acks')
    .argument('[id...]', 'ids from qs deadletter ls')
    .option('--all', 'all dead letters')
    .option('--again', 'also letters already replayed successfully')
    .option('--now', 'give events the time of the replay, not the time at which the letter was received')
    .option('--dry-run', 'send nothing; report what would happen to each')
    .option('--timeout <seconds>', 'how long to wait for a device ack', parseWith(integer(1, 86_400)), 10)
    .option('--json', 'print one line {"id","result","eventIds","code","detail"} per letter')
    .addHelpText(
      'after',
      `
A letter is sent to the events topic of its device, like any new message. A letter that would be rejected again is not
sent but listed, with what to do. An event without ts_device gets the time at which the letter was received (--now: the
time of the replay), and its age_ms counts from that time. A letter older than DEVICE_CLOCK_MAX_PAST cannot keep its
time through the broker: replay it in the console of qs up or qs ingest, or use --now.

Results: stored, duplicate (already stored), rejected (again), unanswered, wrong (repair it first), conflict
(another event has its id), skipped (already replayed). Exits with 1 unless all are stored, duplicate or skipped.

Examples
  qs deadletter replay 17 18
  qs deadletter replay --code META_TOO_LARGE --since 1d --dry-run      after raising LIMIT_META_BYTES
  qs deadletter replay --device kitchen`,
    )
    .action(async (ids: readonly string[], options: Options) => {
      const filter = filterOf(options, ids)
      checkFilter(filter, options.all, 'replay')
      const config = loadConfig()
      await withClient(findDatabaseUrl(config), async (database) => {
        const newestBefore = await newestLetterId(database)
        const total = await countLetters(database, filter, newestBefore)
        const tally = new Tally(total, options)
        const inbox = options.dryRun ? null : new BrokerInbox(config)
        const context = {
          config,
          database,
          inbox,
          timeoutMs: options.timeout * 1000,
          again: options.again ?? false,
          time: options.now ? ('now' as const) : ('aged' as const),
          seen: new Map<string, string>(),
          newestBefore,
        }
        try {
          await replayAll(takeLetters(database, filter, newestBefore), {
            replay: (letter) => replayLetter(letter, context),
            onResult: (result) => tally.add(result),
          })
        } finally {
          await inbox?.close()
          tally.end()
        }
        if (!tally.isWell) process.exitCode = 1
      })
    })
}

/** Up to this many letters are listed one by one; of more, only those that need attention. */
const FEW = 20
const GOOD: ReadonlySet<string> = new Set(['stored', 'duplicate', 'skipped'])

/** Results of a run, for the terminal. */
class Tally {
  readonly #total: number
  readonly #options: Options
  readonly #counts = new Map<string, number>()
  readonly #bar
  #shown = 0
  #done = 0

  constructor(total: number, options: Options) {
    this.#total = total
    this.#options = options
    this.#bar = progress(options.dryRun ? 'checking' : 'replaying')
  }

  get isWell(): boolean {
    return this.#done === this.#total && [...this.#counts.keys()].every((result) => GOOD.has(result))
  }

  add(result: ReplayResult): void {
    this.#counts.set(result.result, (this.#counts.get(result.result) ?? 0) + 1)
    this.#done++
    this.#bar.update(this.#done, this.#total)
    if (this.#options.json) return console.log(JSON.stringify(result))
    if (this.#total > FEW && (GOOD.has(result.result) || this.#shown === FEW)) return
    this.#shown++
    const { id, code, detail } = result
    const mark = (GOOD.has(result.result) ? pc.green : pc.red)(result.result.padEnd(10))
    const why = [code, detail].filter(Boolean).join(': ')
    console.log(`${id.padStart(6)}  ${mark}  ${oneLine(why, 1_000)}`.trimEnd())
  }

  end(): void {
    this.#bar.stop()
    if (this.#options.json) return
    if (this.#total === 0) return console.log('No dead letters match.')
    const counts = [...this.#counts].map(([result, count]) => `${count} ${result}`).join(', ')
    const left = this.#total - this.#done
    console.log(
      `${this.#options.dryRun ? 'Would be: ' : ''}${counts}${left > 0 ? `, ${left} not tried` : ''}`,
    )
    if (this.#counts.has('unanswered'))
      console.log(
        'No device ack. Is an ingester running with the same topics, and may this user publish? It is safe to replay again.',
      )
  }
}
