import type { Command } from 'commander'
import { loadConfig } from '../config/load.ts'
import { withClient } from '../database/open-client.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { countLetters } from '../letters/letter-filter.ts'
import { purgeLetters } from '../letters/purge-letters.ts'
import { newestLetterId } from '../letters/take-letters.ts'
import { counted } from '../telemetry/counted.ts'
import { confirm } from './confirm.ts'
import { checkFilter, type FilterOptions, filterOf, withFilter } from './deadletter-filter.ts'
import { progress } from './progress.ts'

interface Options extends FilterOptions {
  readonly done?: true
  readonly all?: true
  readonly yes?: true
  readonly json?: true
}

export function registerPurge(deadLetter: Command): void {
  withFilter(deadLetter.command('purge'))
    .description('delete dead letters, with their bytes and history, for good')
    .argument('[id...]', 'ids from qs deadletter ls')
    .option('--done', 'only letters replayed successfully')
    .option('--all', 'all dead letters')
    .option('--yes', 'do not ask')
    .option('--json', 'print {"purged":n}')
    .addHelpText(
      'after',
      `
Shows the number of letters and asks for confirmation, unless --yes. Events and counters are not touched.

Examples
  qs deadletter purge --done --until 30d
  qs deadletter purge --code EVENT_ID_CONFLICT --device kitchen --yes`,
    )
    .action(async (ids: readonly string[], options: Options) => {
      const filter = { ...filterOf(options, ids), ...(options.done && { state: 'done' as const }) }
      checkFilter(filter, options.all, 'purge')
      await withClient(findDatabaseUrl(loadConfig()), async (database) => {
        // Letters that arrive while the question is open are not part of it.
        const upTo = await newestLetterId(database)
        const total = await countLetters(database, filter, upTo)
        if (total > 0 && !options.yes) await confirm(`Delete ${counted(total, 'dead letter')} for good?`)
        const bar = progress('purging')
        let purged = 0
        for await (purged of purgeLetters(database, filter, upTo)) bar.update(purged, total)
        bar.stop()
        console.log(options.json ? JSON.stringify({ purged }) : `${counted(purged, 'dead letter')} purged.`)
      })
    })
}
