import pc from 'picocolors'
import type { Config } from '../config/settings.ts'
import { withClient } from '../database/open-client.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { countLetters, type LetterFilter } from '../letters/letter-filter.ts'
import { type Patched, patchLetter } from '../letters/repair-letter.ts'
import { newestLetterId, takeLetters } from '../letters/take-letters.ts'
import { oneLine } from '../telemetry/visible.ts'
import { progress } from './progress.ts'

export interface FixManyOptions {
  readonly config: Config
  readonly merge?: string
  readonly file?: string
  readonly device?: string
  readonly dryRun?: true
  readonly json?: true
}

/** At most this many letters that are still wrong are listed; the rest are counted. */
const SHOWN = 20

/** Applies one merge patch to every letter that matches a filter. */
export async function fixMany(filter: LetterFilter, options: FixManyOptions): Promise<void> {
  const { config, merge, json = false, dryRun = false } = options
  if (merge === undefined || options.file !== undefined || options.device !== undefined)
    throw new QsError(
      'WRONG_USAGE',
      'Several letters need --merge; --file and --device work on one letter only',
    )
  checkPatch(merge)
  const counts = { ready: 0, wrong: 0, skipped: 0, changed: 0 }
  const wrong: Patched[] = []
  await withClient(findDatabaseUrl(config), async (database) => {
    const newest = await newestLetterId(database)
    const total = await countLetters(database, filter, newest)
    const bar = progress('fixing')
    let done = 0
    for await (const letters of takeLetters(database, filter, newest)) {
      for (const letter of letters) {
        const patched = await patchLetter(database, letter, { config, merge, dryRun })
        counts[patched.result]++
        if (patched.isChanged) counts.changed++
        if (patched.result === 'wrong' && wrong.length < SHOWN) wrong.push(patched)
        if (json) console.log(JSON.stringify(patched))
        bar.update(++done, total)
      }
    }
    bar.stop()
  })
  if (!json) report(counts, wrong, dryRun)
  if (counts.wrong > 0) process.exitCode = 1
}

function checkPatch(merge: string): void {
  let patch: unknown
  try {
    patch = JSON.parse(merge)
  } catch (error) {
    throw new QsError('WRONG_USAGE', `--merge is not JSON: ${reasonOf(error)}`)
  }
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch))
    throw new QsError(
      'WRONG_USAGE',
      '--merge takes a JSON object with the fields to change, such as {"schema":1}',
    )
}

interface Counts {
  readonly ready: number
  readonly wrong: number
  readonly skipped: number
  readonly changed: number
}

function report(
  { ready, wrong, skipped, changed }: Counts,
  shown: readonly Patched[],
  dryRun: boolean,
): void {
  for (const { id, problems } of shown)
    console.log(`${pc.red('wrong')} ${id}  ${problems[0]?.code}: ${oneLine(problems[0]?.message ?? '', 500)}`)
  if (wrong > shown.length) console.log(`… and ${wrong - shown.length} more`)
  const done = dryRun ? `${changed} would change (dry run, nothing changed)` : `${changed} changed`
  console.log(`${ready} ready, ${wrong} still wrong, ${skipped} already replayed; ${done}`)
  if (ready > 0 && !dryRun)
    console.log(pc.green('To send them again: qs deadletter replay with the same ids or filter'))
}
