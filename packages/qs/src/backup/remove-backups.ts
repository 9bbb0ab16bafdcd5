import { readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { listBackups, partsIn, timeOf } from './backup-folder.ts'
import { hasEnded } from './process-name.ts'
import { DRAFT, FILES } from './saved-file.ts'

/** Of a folder of backups, and of its files: what a backup that is not finished writes. */
const UNFINISHED = /^(qs-\d{8}T\d{6}Z\.(?:json|dump))(\.\w+)?\.partial$/
/** Rows of a backup, and such a file that is being removed. */
const ROWS = /^([0-9a-f]{64})\.gz(\.partial)?$/
const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000]

/** Backups with a time to come: the clock was ahead when they were made. */
export function datedAhead(folder: string, nowMs: number): readonly string[] {
  return listBackups(folder).filter((path) => timeOf(path) > nowMs + HOUR_MS)
}

export interface Removal {
  readonly keep: number
  /** The backup that was just made: it is one of the `keep`, whatever its time. */
  readonly made: string
  readonly nowMs: number
}

/**
 * Removes all but the newest `keep` backups, then the files that no backup needs. Backups with a time to come neither count
 * nor go: nobody knows when they were made.
 *
 * @returns the removed backups
 */
export function removeOldBackups(folder: string, { keep, made, nowMs }: Removal): readonly string[] {
  const ahead = datedAhead(folder, nowMs)
  const others = listBackups(folder).filter((path) => path !== made && !ahead.includes(path))
  const old = others.slice(keep - 1)
  for (const path of old) {
    rmSync(path)
    if (path.endsWith('.dump')) rmSync(`${path}.json`, { force: true })
  }
  removeUnneeded(folder)
  return old
}

/**
 * Removes the drafts of processes that have ended, then the files that no backup needs, finished or in the making. Files with
 * other names stay, and all files stay while a manifest cannot be read.
 */
export function removeUnneeded(folder: string): void {
  const files = join(folder, FILES)
  if (!statSync(files, { throwIfNoEntry: false })?.isDirectory()) return
  removeAbandoned(folder)
  const needed = neededFiles(folder)
  if (needed === null) return
  const nameOf = (file: string) => join(files, `${file}.gz`)
  for (const { path, file } of rowsIn(files)) if (!needed.has(file)) move(path, `${nameOf(file)}${DRAFT}`)
  // Aside, since a backup may have begun to need one meanwhile: it said so before it looked, and this looks after it has moved.
  const neededNow = neededFiles(folder)
  for (const { path, file } of rowsIn(files).filter((each) => each.path.endsWith(DRAFT)))
    if (neededNow?.has(file) === false) rmSync(path, { force: true })
    else move(path, nameOf(file))
}

/** Another process may be removing the same files. */
function move(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function rowsIn(files: string): readonly { readonly path: string; readonly file: string }[] {
  return readdirSync(files).flatMap((name) => {
    const file = ROWS.exec(name)?.[1]
    return file === undefined ? [] : [{ path: join(files, name), file }]
  })
}

/** null: a manifest cannot be read. */
function neededFiles(folder: string): ReadonlySet<string> | null {
  // Drafts first: one that is finished meanwhile is among the manifests.
  const drafts = unfinishedIn(folder).flatMap(({ draft }) => linesOf(draft))
  const parts = listBackups(folder)
    .filter((path) => path.endsWith('.json'))
    .map(partsIn)
  if (parts.includes(null)) return null
  return new Set([...drafts, ...parts.flatMap((each) => each ?? []).map(({ file }) => file)])
}

interface Unfinished {
  readonly path: string
  /** Of the same backup; with pg_dump there is none. */
  readonly draft: string
}

/** @param inside a folder of it */
function unfinishedIn(folder: string, inside = ''): readonly Unfinished[] {
  return readdirSync(join(folder, inside)).flatMap((entry) => {
    const name = UNFINISHED.exec(entry)?.[1]
    const draft = name?.endsWith('.json') ? join(folder, `${name}${DRAFT}`) : ''
    return name === undefined ? [] : [{ path: join(folder, inside, entry), draft }]
  })
}

/** What a killed process has left, or one of another machine a day ago. */
function removeAbandoned(folder: string): void {
  const isAbandoned = ({ path, draft }: Unfinished) =>
    hasEnded(linesOf(draft)[0] ?? '') ??
    Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > DAY_MS
  const all = [...unfinishedIn(folder), ...unfinishedIn(folder, FILES)]
  for (const { path } of all.filter(isAbandoned)) rmSync(path, { force: true })
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}
