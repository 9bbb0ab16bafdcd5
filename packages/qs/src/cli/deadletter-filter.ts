import { DEAD_LETTER_CODES, formatInstant, instantFromMs, readDeviceTime } from '@qs-telemetry/protocol'
import { type Command, InvalidArgumentError } from 'commander'
import { duration } from '../config/kinds.ts'
import type { DatabaseClient } from '../database/open-client.ts'
import { QsError } from '../errors/qs-error.ts'
import { findLetter, type StoredLetter } from '../letters/find-letter.ts'
import type { LetterFilter } from '../letters/letter-filter.ts'

export interface FilterOptions {
  readonly id?: readonly string[]
  readonly code?: readonly string[]
  readonly device?: readonly string[]
  readonly since?: string
  readonly until?: string
}

/** The options that select dead letters, the same for every command that takes several. */
export function withFilter(command: Command): Command {
  return withoutDevice(command).option('--device <id...>', 'only of these devices', gatherDevices)
}

/** Device ids, as separate arguments or separated by commas. */
export const gatherDevices = gather((text) => text)

/** For a command where `--device` has another meaning. */
export function withoutDevice(command: Command): Command {
  return command
    .option('--id <id...>', 'only these ids', gather(letterId))
    .option('--code <code...>', 'only these codes: INVALID_JSON, EVENT_ID_CONFLICT …', gather(knownCode))
    .option('--since <when>', 'only letters received since: 2h, 7d, or 2026-11-23T18:00:00Z', moment)
    .option('--until <when>', 'only letters received before this time', moment)
}

export function filterOf(
  { id = [], code, device, since, until }: FilterOptions,
  ids: readonly string[] = [],
): LetterFilter {
  const all = [...id, ...ids.map(letterId)]
  return {
    ...(all.length > 0 && { ids: all }),
    ...(code !== undefined && { codes: code }),
    ...(device !== undefined && { devices: device }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  }
}

/** @throws QsError for a command without ids, filter and --all: it would change every letter */
export function checkFilter(filter: LetterFilter, all: true | undefined, verb: string): void {
  const isEmpty = Object.keys(filter).length === 0
  if (isEmpty && !all) {
    throw new QsError(
      'WRONG_USAGE',
      `Say what to ${verb}: ids from qs deadletter ls, a filter such as --code or --since, or --all`,
    )
  }
}

/** @throws QsError if it is not a valid dead-letter id */
export function letterId(text: string): string {
  if (/^[1-9]\d{0,17}$/.test(text)) return text
  throw new QsError('WRONG_USAGE', `"${text}" is not a valid dead-letter id; qs deadletter ls lists all`)
}

/** @throws QsError if there is no such letter */
export async function letterOf(database: DatabaseClient, id: string): Promise<StoredLetter> {
  const letter = await findLetter(database, id)
  if (letter !== null) return letter
  throw new QsError('NO_SUCH_DEAD_LETTER', `There is no dead letter ${id}`)
}

function gather(parse: (text: string) => string) {
  return (text: string, before: readonly string[] = []) => [...before, ...text.split(',').map(parse)]
}

function knownCode(text: string): string {
  if (Object.hasOwn(DEAD_LETTER_CODES, text.toUpperCase())) return text.toUpperCase()
  throw new InvalidArgumentError(
    `"${text}" is not one of the codes: ${Object.keys(DEAD_LETTER_CODES).join(', ')}`,
  )
}

const AGO = duration('0s', '100000d')

/** RFC 3339 in UTC with microseconds. A time without an offset is in this host's zone, a date is in UTC. */
function moment(text: string): string {
  const now = instantFromMs(Date.now())
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text)
  const time = readDeviceTime(isDay ? `${text}T00:00Z` : text, { timeZone, serverTime: now })
  if (time.kind === 'instant' || time.kind === 'local') return formatInstant(time.at)
  try {
    return formatInstant(instantFromMs(now.epochMs - AGO.parse(text)))
  } catch {
    throw new InvalidArgumentError('It takes an age (30m, 2h, 7d) or a time such as 2026-11-23T18:00:00Z')
  }
}
