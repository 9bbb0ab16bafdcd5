import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { isDeviceId } from '@qs-telemetry/protocol'
import type { Command } from 'commander'
import pc from 'picocolors'
import { loadConfig } from '../config/load.ts'
import { withClient } from '../database/open-client.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import type { LetterProblem } from '../letters/letter-problems.ts'
import { mergePayload } from '../letters/merge-payload.ts'
import { repairLetter } from '../letters/repair-letter.ts'
import { oneLine } from '../telemetry/visible.ts'
import {
  checkFilter,
  type FilterOptions,
  filterOf,
  gatherDevices,
  letterOf,
  withoutDevice,
} from './deadletter-filter.ts'
import { fixMany } from './deadletter-fix-many.ts'
import { editText } from './edit-text.ts'

interface Options extends Omit<FilterOptions, 'device'> {
  readonly of?: readonly string[]
  readonly all?: true
  readonly dryRun?: true
  readonly merge?: string
  readonly file?: string
  readonly device?: string
  readonly json?: true
}

export function registerFix(deadLetter: Command): void {
  withoutDevice(deadLetter.command('fix'))
    .description(
      'repair the payload of a dead letter, or of many with one patch; the original bytes are kept',
    )
    .argument('[id...]', 'ids from qs deadletter ls')
    .option('--of <device...>', 'only letters of these devices', gatherDevices)
    .option('--all', 'all dead letters')
    .option('--dry-run', 'change nothing; report what --merge would do to each')
    .option('--merge <json>', 'change fields with a JSON merge patch; null removes a field')
    .option('--file <path>', 'read the payload from a file; - is standard input')
    .option('--device <id>', 'replay it as this device, regardless of its topic')
    .option('--json', 'print {"id":…,"ready":…,"problems":[{code,message}]}')
    .addHelpText(
      'after',
      `
Without --merge and --file, opens the payload in $VISUAL or $EDITOR. The repair is stored with the letter and checked as
the ingester would check it. Exits with 1 if something is still wrong. Each repair builds on the previous one.

Several ids or a filter need --merge: each letter gets the same patch, in an array each event. Letters already replayed
successfully are skipped, and a second run changes nothing.

Examples
  qs deadletter fix 17
  qs deadletter fix 17 --merge '{"value":21.5,"unit":null}'
  qs deadletter fix 17 --merge '{"event_id":"esp32-1-0007-000043-b"}'     after EVENT_ID_CONFLICT
  qs deadletter fix --code MISSING_FIELD --since 1d --merge '{"schema":1}' --dry-run
  qs deadletter fix 17 --device esp32-1                                   after TOPIC_MISMATCH`,
    )
    .action(async (ids: readonly string[], options: Options) => {
      checkUsage(options)
      const { device: _, of, ...rest } = options
      const filter = filterOf({ ...rest, ...(of && { device: of }) }, ids)
      checkFilter(filter, options.all, 'fix')
      const config = loadConfig()
      const [id] = ids
      if (id === undefined || ids.length > 1 || Object.keys(filter).length > 1 || options.dryRun)
        return fixMany(filter, { ...options, config })
      await withClient(findDatabaseUrl(config), async (database) => {
        const letter = await letterOf(database, id)
        const change = (before: Buffer) => changed(before, id, options)
        const deviceId = options.device ?? null
        const { isChanged, problems } = await repairLetter(database, letter, { change, deviceId, config })
        report(id, { isChanged, problems, json: options.json ?? false })
        if (problems.length > 0) process.exitCode = 1
      })
    })
}

function checkUsage({ merge, file, device }: Options): void {
  if (merge !== undefined && file !== undefined)
    throw new QsError('WRONG_USAGE', 'Give the change with --merge or --file, not both')
  if (device !== undefined && !isDeviceId(device))
    throw new QsError(
      'INVALID_DEVICE_ID',
      `"${oneLine(device)}" is not a valid device id: it contains / + # or a control character`,
    )
}

function changed(before: Buffer, id: string, { merge, file, device }: Options): Buffer {
  if (file !== undefined) return readInput(file)
  if (merge !== undefined) return mergeInto(before, merge)
  if (device !== undefined) return before
  if (!isUtf8(before)) console.error(pc.yellow('The payload is not UTF-8; the editor gets the raw bytes.'))
  return withoutLastNewline(editText(before, `dead-letter-${id}.json`), before)
}

function mergeInto(before: Buffer, patch: string): Buffer {
  try {
    JSON.parse(patch)
  } catch (error) {
    throw new QsError('WRONG_USAGE', `--merge is not JSON: ${reasonOf(error)}`)
  }
  if (isUtf8(before)) {
    try {
      return Buffer.from(mergePayload(before.toString(), patch))
    } catch {}
  }
  throw new QsError('NOT_MERGEABLE', 'The payload is not JSON, so it has no fields to change')
}

function readInput(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file)
  } catch (error) {
    throw new QsError('WRONG_USAGE', `${file} cannot be read: ${reasonOf(error)}`)
  }
}

/** Editors add a newline at the end of a file. */
function withoutLastNewline(edited: Buffer, before: Buffer): Buffer {
  const isOurs = before.at(-1) === 0x0a
  return !isOurs && edited.at(-1) === 0x0a ? edited.subarray(0, -1) : edited
}

interface Report {
  readonly isChanged: boolean
  readonly problems: readonly LetterProblem[]
  readonly json: boolean
}

function report(id: string, { isChanged, problems, json }: Report): void {
  const isReady = problems.length === 0
  if (json) return console.log(JSON.stringify({ id, changed: isChanged, ready: isReady, problems }))
  console.log(isChanged ? 'Repair stored; the original bytes are unchanged.' : 'Nothing was changed.')
  for (const { code, message } of problems.slice(0, 20))
    console.log(`${pc.red(code)} ${oneLine(message, 1_000)}`)
  if (problems.length > 20) console.log(`… and ${problems.length - 20} more`)
  console.log(
    isReady
      ? pc.green(`Ready to send again: qs deadletter replay ${id}`)
      : `Still wrong: run qs deadletter fix ${id} again`,
  )
}
