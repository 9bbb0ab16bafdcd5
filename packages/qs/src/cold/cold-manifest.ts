import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { QsError } from '../errors/qs-error.ts'
import { type ColdFile, replaceFile } from './cold-file.ts'

/** Readers of Parquet skip names that begin with an underscore. */
const FOLDER = '_qs'

/** What the files have of the events that arrived on one day (UTC). */
export interface ColdDay {
  readonly events: number
  /** When this number was last compared with the database. */
  readonly checkedAt: string
  readonly files: readonly ColdFile[]
}

export interface ColdManifest {
  readonly version: 1
  /** By day of arrival, as 2026-11-28. */
  readonly days: Readonly<Record<string, ColdDay>>
}

/** Creates the folder of the manifest. @throws QsError if the directory has files of something else */
export function prepareDirectory(directory: string): string {
  const own = join(directory, FOLDER)
  if (!existsSync(own) && existsSync(directory) && readdirSync(directory).length > 0)
    throw new QsError('FILE_EXISTS', `${directory} has other files and no earlier export of qs`)
  mkdirSync(own, { recursive: true })
  return own
}

/** The manifest of an earlier export. A day whose files are missing or have another size counts as one without events. */
export function readColdManifest(directory: string): ColdManifest {
  const path = manifestPath(directory)
  if (!existsSync(path)) return { version: 1, days: {} }
  let manifest: ColdManifest
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as ColdManifest
  } catch (cause) {
    throw new QsError('EXPORT_UNUSABLE', `${path} cannot be read`, { cause })
  }
  if (manifest.version !== 1) throw new QsError('EXPORT_UNUSABLE', `${path} is of a newer qs`)
  const isWhole = ({ path: file, bytes }: ColdFile) =>
    statSync(join(directory, file), { throwIfNoEntry: false })?.size === bytes
  const days = Object.entries(manifest.days).map(([name, day]) => [
    name,
    day.files.every(isWhole) ? day : { events: 0, checkedAt: `${name}T00:00:00Z`, files: [] },
  ])
  return { version: 1, days: Object.fromEntries(days) }
}

export async function writeColdManifest(directory: string, manifest: ColdManifest): Promise<void> {
  await replaceFile(manifestPath(directory), draftPath(directory), [Buffer.from(JSON.stringify(manifest))])
}

/** Where a file is written before it gets its name: no `*.parquet` matches it. */
export function draftPath(directory: string): string {
  return join(directory, FOLDER, 'unfinished')
}

/** Of a run that was killed. */
export function removeDraft(directory: string): void {
  rmSync(draftPath(directory), { force: true })
}

function manifestPath(directory: string): string {
  return join(directory, FOLDER, 'manifest.json')
}
