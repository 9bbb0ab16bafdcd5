import type { Command } from 'commander'
import pc from 'picocolors'
import { integer } from '../config/kinds.ts'
import { loadConfig } from '../config/load.ts'
import { withClient } from '../database/open-client.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { type LetterSummary, listLetters, type OnlyCounted, onlyCounted } from '../letters/list-letters.ts'
import { oneLine } from '../telemetry/visible.ts'
import { type FilterOptions, filterOf, letterId, withFilter } from './deadletter-filter.ts'
import { parseWith } from './parse-option.ts'

interface Options extends FilterOptions {
  readonly open?: true
  readonly limit: number
  readonly after?: string
  readonly json?: true
}

export function registerList(deadLetter: Command): void {
  withFilter(deadLetter.command('ls'))
    .description('list dead letters, newest first')
    .option('--open', 'only letters not yet replayed successfully')
    .option('--limit <n>', 'maximum number of letters', parseWith(integer(1, 100_000)), 50)
    .option('--after <id>', 'next page: letters after this id', letterId)
    .option('--json', 'print {"letters":[…],"counted":[…],"next":"id" or null}')
    .addHelpText(
      'after',
      `
The last column is the state: new, repaired, or the result of the last replay (stored, duplicate, rejected,
unanswered). Rejections beyond DEAD_LETTER_RATE are only counted; the last lines give their number.

Examples
  qs deadletter ls --code INVALID_JSON,MISSING_FIELD --since 2h
  qs deadletter ls --device kitchen --open --json`,
    )
    .action(async (options: Options) => {
      const filter = {
        ...filterOf(options),
        ...(options.open && { state: 'open' as const }),
      }
      const { limit, after } = options
      await withClient(findDatabaseUrl(loadConfig()), async (database) => {
        // One extra row shows whether there is a next page.
        const page = { limit: limit + 1, ...(after !== undefined && { after }) }
        const found = await listLetters(database, filter, page)
        const letters = found.slice(0, limit)
        const next = found.length > limit ? (letters.at(-1)?.id ?? null) : null
        const counted = filter.ids === undefined ? await onlyCounted(database, filter) : []
        if (options.json) console.log(JSON.stringify({ letters, counted, next }))
        else print(letters, counted, next)
      })
    })
}

function print(
  letters: readonly LetterSummary[],
  counted: readonly OnlyCounted[],
  next: string | null,
): void {
  if (letters.length === 0) console.log('No dead letters.')
  for (const { id, receivedAt, code, deviceId, eventId, error, state } of letters) {
    const mark = state === 'stored' || state === 'duplicate' ? pc.green(state) : pc.yellow(state)
    console.log(
      `${pc.bold(id.padStart(6))}  ${receivedAt}  ${pc.red(code)}  ${oneLine(deviceId ?? '–', 40)}  ${oneLine(eventId ?? '–', 60)}  ${mark}\n        ${pc.dim(oneLine(error, 160))}`,
    )
  }
  if (next !== null) console.log(pc.dim(`For the next page: --after ${next}`))
  if (counted.length === 0) return
  console.log(
    pc.yellow('Only counted, because their devices exceeded DEAD_LETTER_RATE or DEAD_LETTER_BYTES:'),
  )
  for (const { deviceId, code, letters: count, bytes } of counted) {
    console.log(
      `  ${count} × ${code} of ${deviceId === '' ? 'others' : oneLine(deviceId, 40)}, ${bytes} bytes`,
    )
  }
}
