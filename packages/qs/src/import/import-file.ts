import type { Readable } from 'node:stream'
import type { Config } from '../config/settings.ts'
import { connect } from '../database/connect.ts'
import type { ServerSession } from '../database/server-session.ts'
import { decodeOptions } from '../decode/decode-options.ts'
import { SystemClock } from '../pipeline/clock.ts'
import type { Event } from '../pipeline/message.ts'
import type { Log } from '../telemetry/log.ts'
import { Checkpoint, NOTHING_DONE, type Progress } from './checkpoint.ts'
import { EventStore } from './event-store.ts'
import { type FormatName, formatOf } from './formats.ts'
import { importRecords } from './import-records.ts'
import type { TimeUnit } from './import-time.ts'
import { recordMapper } from './map-record.ts'
import { adjusted } from './mapping.ts'
import { openInput } from './open-input.ts'
import { Rejects } from './rejects.ts'
import type { LineFault } from './source-record.ts'

/** What changes the meaning of a line. */
export interface Reading {
  readonly format: FormatName
  readonly map: readonly string[]
  readonly values: readonly string[]
  readonly timeUnit: TimeUnit | null
  /** Of times without offset. */
  readonly timeZone: string
  readonly decimalComma: boolean
  readonly delimiter: string | null
  /** The names of the columns of a CSV that has no header. */
  readonly header: readonly string[] | null
}

export interface FileImport {
  /** `-`: standard input. */
  readonly path: string
  readonly stdin: Readable
  readonly reading: Reading
  readonly config: Config
  /** null: a dry run. */
  readonly databaseUrl: string | null
  readonly rejects: string | null
  /** Begin with the first line, whatever an earlier run has done. */
  readonly isAnew: boolean
  readonly log: Log
  readonly signal: AbortSignal
  readonly onResume: (done: Progress) => void
  readonly onEvent: (event: Event) => void
  readonly onBadLine: (line: number, fault: LineFault) => void
  readonly onProgress: (done: Progress, readBytes: number, totalBytes: number | null) => void
}

const CONNECT_TIMEOUT_MS = 5_000

export interface Imported extends Progress {
  /** The time of the oldest event that this run has stored; null if it has stored none. */
  readonly oldest: string | null
}

/** Imports one file, from where an earlier run of the same command stopped. */
export async function importFile(options: FileImport): Promise<Imported> {
  const { path, stdin, reading, config, databaseUrl, rejects, isAnew, log, signal } = options
  const format = formatOf(reading.format)
  const map = recordMapper({ ...reading, mapping: adjusted(format.mapping, reading) })
  const input = openInput(path, stdin)
  if (input.file === null) signal.addEventListener('abort', () => stdin.destroy(), { once: true })
  const clock = new SystemClock()
  const checkpoint = new Checkpoint(databaseUrl === null ? null : input.file, [reading, rejects])
  const earlier = isAnew ? null : checkpoint.read()
  const done = earlier ?? NOTHING_DONE
  const ended = new Set<ServerSession>()
  const store =
    databaseUrl === null
      ? null
      : new EventStore({
          ...{ clock, log, random: Math.random, timeoutMs: config.DATABASE_TIMEOUT },
          eventTypes: config.LIMIT_EVENT_TYPES,
          connect: () =>
            connect({ url: databaseUrl, name: 'qs-import', connectTimeoutMs: CONNECT_TIMEOUT_MS }, ended),
        })
  const badLines = rejects === null || store === null ? null : new Rejects(rejects, done)
  try {
    if (earlier !== null) options.onResume(earlier)
    await store?.recover()
    const decode = decodeOptions({ ...config, DEVICE_TIMEZONE: reading.timeZone }, () => undefined)
    let header: Buffer | null = null
    const records = format.read(input.chunks(), {
      ...{ delimiter: reading.delimiter, header: reading.header },
      onHeader: (line) => {
        header = line
      },
    })
    const progress = await importRecords(records, {
      ...{ map, clock, store, checkpoint, done, rejects: badLines, signal },
      decode: { ...decode, clockTrust: { ...decode.clockTrust, maxPastMs: Number.POSITIVE_INFINITY } },
      header: () => header,
      ...{ onEvent: options.onEvent, onBadLine: options.onBadLine },
      onProgress: (now) => options.onProgress(now, input.readBytes(), input.totalBytes),
    })
    checkpoint.remove()
    return { ...progress, oldest: store?.oldest ?? null }
  } finally {
    store?.stop()
    badLines?.close()
    if (checkpoint.problem !== null)
      log.warn(
        { reason: checkpoint.problem },
        'The place in the file could not be kept beside it: after a stop, the next run begins with the first line',
      )
  }
}
