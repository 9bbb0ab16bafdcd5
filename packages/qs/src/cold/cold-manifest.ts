import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { QsError } from '../errors/qs-error.ts'
import type { DayContent } from './arrivals.ts'
import { type ColdFile, publish, writeDraft } from './cold-file.ts'
import { countEvents } from './read-cold-file.ts'

/** Readers of Parquet skip names that begin with an underscore. */
const FOLDER = '_qs'
const MANIFEST = `${FOLDER}/manifest.json`
/** A second file of a day: arrived-2026-11-28.2.parquet. */
const FILE = /^arrived-(.*-\d\d-\d\d)(\.\d+)?\.parquet$/

/** The events that arrived on one day (UTC). */
export interface ColdDay {
  /** What the database had of them when the files were last compared with it; null: nobody knows. */
  readonly stored: DayContent | null
  readonly checkedAt: string
  readonly files: readonly ColdFile[]
}

/** By day of arrival, as 2026-11-28. */
export type ColdDays = Readonly<Record<string, ColdDay>>

interface Manifest {
  readonly version: 1
  readonly days: ColdDays
}

/** Creates the folder of the manifest. @throws QsError if the directory has files of something else */
export function prepareDirectory(directory: string): string {
  const own = join(directory, FOLDER)
  if (!existsSync(own) && existsSync(directory) && readdirSync(directory).length > 0)
    throw new QsError('FILE_EXISTS', `${directory} has other files and no earlier export of qs`)
  mkdirSync(own, { recursive: true })
  return own
}

export interface FoundDays {
  readonly days: ColdDays
  /** Files that are no Parquet files, under the name that they have now. */
  readonly damaged: readonly string[]
}

/**
 * The files that are there, with what the manifest says about them. A day whose files are not those of the manifest, since one
 * was lost or a run was killed, has to be compared again.
 */
export async function readColdDays(directory: string): Promise<FoundDays> {
  const listed = readManifest(directory)
  const found = new Map<string, ColdFile[]>(Object.keys(listed).map((name) => [name, []]))
  const damaged: string[] = []
  for (const { path, day } of filesIn(directory)) {
    const { size: bytes } = statSync(join(directory, path))
    const known = listed[day]?.files.find((file) => file.path === path && file.bytes === bytes)
    const events = known?.events ?? (await countEvents(join(directory, path)))
    if (events === null) damaged.push(setAside(directory, path))
    else found.set(day, [...(found.get(day) ?? []), known ?? { path, events, bytes }])
  }
  const days = [...found].map(([name, files]) => {
    const known = listed[name]
    const isWhole = known?.files.length === files.length && files.every((file) => known.files.includes(file))
    return [name, isWhole ? known : { stored: null, checkedAt: `${name}T00:00:00Z`, files }]
  })
  return { days: Object.fromEntries(days) as ColdDays, damaged }
}

function readManifest(directory: string): ColdDays {
  const path = join(directory, MANIFEST)
  if (!existsSync(path)) return {}
  let manifest: Manifest
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest
  } catch (cause) {
    throw new QsError('EXPORT_UNUSABLE', `${path} cannot be read`, { cause })
  }
  if (manifest.version !== 1) throw new QsError('EXPORT_UNUSABLE', `${path} is of a newer qs`)
  return manifest.days
}

function* filesIn(directory: string): Generator<{ readonly path: string; readonly day: string }> {
  const entries = (path: string) => readdirSync(join(directory, path)).sort()
  for (const year of entries('.').filter((name) => name.startsWith('year=')))
    for (const month of entries(year))
      for (const name of entries(`${year}/${month}`)) {
        const day = FILE.exec(name)?.[1]
        if (day !== undefined) yield { path: `${year}/${month}/${name}`, day }
      }
}

function setAside(directory: string, path: string): string {
  const aside = `${path}.${Date.now()}.damaged`
  renameSync(join(directory, path), join(directory, aside))
  return aside
}

/** For another file of a day in a partition. */
export function freeName(partition: string, day: string, files: readonly ColdFile[]): string {
  const isTaken = (path: string) => files.some((file) => file.path === path)
  let path = `${partition}/arrived-${day}.parquet`
  for (let n = 2; isTaken(path); n++) path = `${partition}/arrived-${day}.${n}.parquet`
  return path
}

export async function writeColdManifest(directory: string, days: ColdDays): Promise<void> {
  const draft = draftPath(directory, 'manifest')
  const manifest: Manifest = { version: 1, days }
  await writeDraft(draft, [Buffer.from(JSON.stringify(manifest))])
  publish(directory, draft, MANIFEST)
}

/** Where a file is written before it gets its name: no `*.parquet` matches it. */
export function draftPath(directory: string, name: number | string): string {
  return join(directory, FOLDER, 'unfinished', String(name))
}

/** Those of a run that was killed go. */
export function prepareDrafts(directory: string): void {
  const folder = join(directory, FOLDER, 'unfinished')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
}
