import { type Command, Option } from 'commander'
import pc from 'picocolors'
import { timeZone } from '../config/kinds.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { askClient } from '../database/ask-client.ts'
import { withClient } from '../database/open-client.ts'
import { QsError } from '../errors/qs-error.ts'
import type { Progress } from '../import/checkpoint.ts'
import { FORMAT_NAMES, type FormatName, formatByName } from '../import/formats.ts'
import { importFile, type Reading } from '../import/import-file.ts'
import { TIME_UNITS, type TimeUnit } from '../import/import-time.ts'
import { keepDefaults } from '../segments/keep-rules.ts'
import { counted } from '../telemetry/counted.ts'
import { createLog } from '../telemetry/log.ts'
import { oneLine, visible } from '../telemetry/visible.ts'
import { ImportPreview } from './import-preview.ts'
import { onDatabase } from './on-database.ts'
import { parseWith } from './parse-option.ts'
import { progress } from './progress.ts'
import { stopSignal } from './stop-signal.ts'

interface Options {
  readonly format?: FormatName
  readonly map: readonly string[]
  readonly values?: string
  readonly device?: string
  readonly type?: string
  readonly unit?: string
  readonly timezone?: string
  readonly timeUnit?: TimeUnit
  readonly decimalComma?: boolean
  readonly delimiter?: string
  readonly header?: string
  readonly dryRun?: boolean
  readonly rejects?: string
  readonly anew?: boolean
  readonly json?: true
}

const DAY_MS = 86_400_000
/** Bad lines that are shown one by one. */
const SHOWN = 10

export function registerImport(program: Command): void {
  program
    .command('import <file>')
    .description('store events from a file: history from before qs, or from another system')
    .addOption(new Option('--format <format>', 'default: by the name of the file').choices([...FORMAT_NAMES]))
    .option('--map <field=columns>', 'what a field is made of; may be repeated', collect, [])
    .option('--values <columns>', 'columns of which each is an event: its name is the type')
    .option('--device <id>', 'the device of all events')
    .option('--type <type>', 'the type of all events')
    .option('--unit <unit>', 'the unit of all values')
    .option('--timezone <zone>', 'of times without offset (default: DEVICE_TIMEZONE)', parseWith(timeZone))
    .addOption(
      new Option('--time-unit <unit>', 'of times that are numbers (default: by their size)').choices([
        ...TIME_UNITS,
      ]),
    )
    .option('--decimal-comma', 'numbers are written 21,5')
    .option('--delimiter <character>', 'between the columns of a CSV (default: by its first line)')
    .option('--header <columns>', 'the names of the columns of a CSV that does not begin with them')
    .option('--dry-run', 'show what would be stored, and every bad line; needs no database')
    .option('--rejects <file>', 'write bad lines to this file, and their reasons to <file>.reasons')
    .option('--anew', 'begin with the first line, also if an earlier run was stopped')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(async (file: string, options: Options) => {
      const config = loadConfig()
      const reading = readingOf(file, options, config)
      const preview = options.dryRun ? new ImportPreview() : null
      const bad = new BadLines(file)
      const bar = progress('MiB read')
      const signal = stopSignal()
      const log = createLog(config.LOG_LEVEL)
      const run = async (databaseUrl: string | null) => {
        // The writer would try for ever to reach a database that is not there, or is none of qs.
        if (databaseUrl !== null)
          await withClient(databaseUrl, (client) => client.query('select from series limit 0'))
        const done = await importFile({
          ...{ path: file, stdin: process.stdin, reading, config, databaseUrl, log, signal },
          ...{ rejects: options.rejects ?? null, isAnew: options.anew ?? false },
          onResume: ({ records }) =>
            console.error(
              `An earlier run was stopped after ${records} lines; going on there (--anew begins again)`,
            ),
          onEvent: (event) => preview?.add(event),
          onBadLine: bad.add,
          onProgress: (_, read, total) => total !== null && bar.update(mebibytes(read), mebibytes(total)),
        }).finally(bar.stop)
        if (databaseUrl !== null && done.oldest !== null) await warnOfExpired(databaseUrl, done.oldest)
        return done
      }
      const done = await (preview === null ? onDatabase(config, run) : run(null))
      if (options.json) console.log(JSON.stringify({ file, ...numbers(done) }))
      else if (preview !== null) preview.print(done)
      else console.log(summary(file, done))
      if (done.bad > 0) throw new QsError('IMPORT_INCOMPLETE', bad.text(done.bad, options.rejects))
    })
}

const HELP = `
Formats
  csv       its first line has the names of the columns. Columns that nothing names are left out.
  jsonl     JSON lines: an object a line. Without --map its fields are those of an event: device_id, event_type, value,
            unit, ts_device (or time, ts, timestamp), event_id, meta; others are kept in meta.

  influx    InfluxDB line protocol. The type is the measurement, or measurement.field unless the field is called value;
            the device is the tag device_id, device or host; other tags are kept in meta.
  home-assistant
            a CSV of the table statistics (docs/import.md has the query), or the download of the history page.
            The device is home-assistant, the type the id of the entity.

Each event needs a device, a type and a time. --map says where they come from: a text with columns in braces. Fields are
device_id, event_type, value, unit, time, event_id, and meta.NAME.

Times are ISO 8601 or Unix time, and trusted: events of years ago keep their time. An event without event_id gets one made
of device, type, time and value, so the same file can be imported again: what is stored already is not stored twice. A run that
was stopped or killed goes on where it was; it keeps its place in <file>.qs-import. The ingester may run meanwhile.

Exit codes: 0 all lines are stored, 1 some are not (they are named, and in --rejects), 2 wrong usage or file.

Examples
  qs import --dry-run history.jsonl
  qs import history.jsonl --rejects bad.jsonl
  qs import weather.csv --device balcony --values temp,hum --map time={date} --timezone Europe/Berlin
  qs import influx.lp --map device_id={host}
  qs import statistics.csv --format home-assistant
  qs import log.jsonl --device kitchen --map event_type={sensor} --map time={at} --timezone Europe/Berlin`

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

function readingOf(file: string, options: Options, config: Config): Reading {
  const { device, type, unit, map, values, timezone, timeUnit, decimalComma = false } = options
  const { delimiter = null, header } = options
  const format = options.format ?? formatByName(file)
  if (format === null)
    throw new QsError(
      'WRONG_USAGE',
      `The name ${visible(file)} tells no format; say --format ${FORMAT_NAMES.join('|')}`,
    )
  const constants = { device_id: device, event_type: type, unit }
  const fixed = Object.entries(constants).flatMap(([field, text]) => {
    if (text === undefined) return []
    if (/[{}]/.test(text)) throw new QsError('WRONG_USAGE', `--map ${field}=… takes columns in braces`)
    return [`${field}=${text}`]
  })
  return {
    ...{ format, map: [...fixed, ...map], values: values?.split(',') ?? [] },
    ...{ timeUnit: timeUnit ?? null, timeZone: timezone ?? config.DEVICE_TIMEZONE, decimalComma },
    ...{ delimiter, header: header?.split(',') ?? null },
  }
}

/** Old events go at once if retention does not keep them. */
async function warnOfExpired(databaseUrl: string, oldest: string): Promise<void> {
  const { events: days } = await withClient(databaseUrl, (client) => keepDefaults(askClient(client)))
  if (days === null || Date.parse(oldest) > Date.now() - days * DAY_MS) return
  console.error(
    `${pc.yellow('warning')} KEEP_EVENTS is ${counted(days, 'day')}, and the oldest event is of ${oldest.slice(0, 10)}: what is older ` +
      'is deleted within minutes. qs keep set keeps the events of some devices or types.',
  )
}

/** Says the first bad lines as they are found, and counts all by their code. */
class BadLines {
  readonly #file: string
  readonly #codes = new Map<string, number>()
  #shown = 0

  constructor(file: string) {
    this.#file = file
  }

  readonly add = (line: number, { code, message }: { readonly code: string; readonly message: string }) => {
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1)
    if (++this.#shown > SHOWN) return
    console.error(`${pc.red('bad')} ${visible(this.#file)}:${line}: ${code}: ${oneLine(message)}`)
    if (this.#shown === SHOWN) console.error('More bad lines are counted and not shown.')
  }

  text(bad: number, rejects: string | undefined): string {
    const codes = Array.from(this.#codes, ([code, count]) => `${code} ${count}`).join(', ')
    const kept = rejects === undefined ? '' : `; they are in ${visible(rejects)}`
    return `${counted(bad, 'line')} of ${visible(this.#file)} ${bad === 1 ? 'is' : 'are'} not stored (${codes})${kept}`
  }
}

function numbers({ records, stored, duplicate, bad }: Progress) {
  return { lines: records, stored, duplicate, bad }
}

function summary(file: string, { records, stored, duplicate, bad }: Progress): string {
  return (
    `${visible(file)}: ${counted(records, 'line')}, ${counted(stored, 'event')} stored, ` +
    `${duplicate} stored before, ${counted(bad, 'bad line')}`
  )
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}
