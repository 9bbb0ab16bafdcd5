import { createHash } from 'node:crypto'
import {
  appendFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { syncDirectory } from '../embedded/postgres/create-cluster.ts'
import { QsError } from '../errors/qs-error.ts'
import { filesOf, type Manifest, readManifest, type SavedPart } from './manifest.ts'
import { DRAFT, FILES, pathOf, sync } from './saved-file.ts'

/** Names sort by time: qs-20261125T031500Z.json, and .dump for that of pg_dump. */
const NAME = /^qs-\d{8}T\d{6}Z\.(json|dump)$/
const DRAFT_NAME = /^qs-\d{8}T\d{6}Z\.json\.partial$/
const DAY_MS = 86_400_000

export function backupName(now: Date, extension: 'json' | 'dump'): string {
  return `qs-${now.toISOString().replace(/\.\d+|[-:]/g, '')}.${extension}`
}

/** Finished backups, newest first. */
export function listBackups(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => NAME.test(name))
    .sort()
    .reverse()
    .map((name) => join(folder, name))
}

/**
 * A backup in the making. Its draft lists the files it needs, one a line, so that nobody removes them meanwhile. It becomes
 * the manifest at the end, when all of them are on the disk.
 */
export class BackupDraft {
  readonly path: string
  readonly #folder: string
  readonly #draft: string
  /** Parts of earlier backups by key. */
  readonly #known: ReadonlyMap<string, SavedPart>

  constructor(folder: string, name: string) {
    this.#folder = folder
    this.path = join(folder, name)
    this.#draft = `${this.path}${DRAFT}`
    mkdirSync(join(folder, FILES), { recursive: true, mode: 0o700 })
    if (existsSync(this.path)) throw new QsError('FILE_EXISTS', `${this.path} already exists`)
    writeFileSync(this.#draft, '', { mode: 0o600 })
    this.#known = knownParts(folder)
  }

  /** From now on the file is kept. */
  need(file: string): void {
    appendFileSync(this.#draft, `${file}\n`)
  }

  /** The part of an earlier backup with this key, if its file is undamaged. */
  async find(key: string): Promise<SavedPart | null> {
    const part = this.#known.get(key)
    if (part === undefined) return null
    this.need(part.file)
    return (await isIntact(this.#folder, part)) ? part : null
  }

  /** The backup exists when this returns, and not before. */
  publish(manifest: Manifest): void {
    for (const { file, bytes } of filesOf(manifest))
      if (statSync(pathOf(this.#folder, file), { throwIfNoEntry: false })?.size !== bytes)
        throw new QsError('BACKUP_FAILED', `${pathOf(this.#folder, file)} has vanished`)
    syncDirectory(join(this.#folder, FILES))
    writeFileSync(this.#draft, `${JSON.stringify(manifest, null, 1)}\n`)
    sync(this.#draft)
    renameSync(this.#draft, this.path)
    syncDirectory(this.#folder)
  }

  /** Does nothing after publish(). */
  discard(): void {
    rmSync(this.#draft, { force: true })
  }
}

function knownParts(folder: string): ReadonlyMap<string, SavedPart> {
  const known = new Map<string, SavedPart>()
  for (const path of listBackups(folder).filter((each) => each.endsWith('.json')))
    for (const part of partsIn(path) ?? []) if (part.key !== null) known.set(part.key, part)
  return known
}

/** null: the manifest is damaged or of another version, which must not prevent a new backup. */
function partsIn(path: string): readonly SavedPart[] | null {
  try {
    return filesOf(readManifest(path))
  } catch {
    return null
  }
}

/** Whether the file is there with its whole content. */
export async function isIntact(folder: string, { file, bytes }: SavedPart): Promise<boolean> {
  const path = pathOf(folder, file)
  if (statSync(path, { throwIfNoEntry: false })?.size !== bytes) return false
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer)
  return hash.digest('hex') === file
}

/**
 * Removes all but the newest `keep` backups, then the files that no backup needs, finished or in the making. Files with
 * other names stay, and all files stay while a manifest cannot be read.
 *
 * @returns the removed backups
 */
export function removeOldBackups(folder: string, keep: number): readonly string[] {
  const old = listBackups(folder).slice(keep)
  for (const path of old) {
    rmSync(path)
    if (path.endsWith('.dump')) rmSync(`${path}.json`, { force: true })
  }
  removeUnneeded(folder)
  return old
}

function removeUnneeded(folder: string): void {
  const files = join(folder, FILES)
  if (!existsSync(files)) return
  const isStale = (path: string) => Date.now() - statSync(path).mtimeMs > DAY_MS
  const drafts = readdirSync(folder)
    .filter((name) => DRAFT_NAME.test(name))
    .map((name) => join(folder, name))
  for (const path of drafts.filter(isStale)) rmSync(path)
  const manifests = listBackups(folder).filter((path) => path.endsWith('.json'))
  const parts = manifests.map(partsIn)
  if (parts.some((each) => each === null)) return
  const needed = new Set([
    ...drafts.filter((path) => existsSync(path)).flatMap((path) => readFileSync(path, 'utf8').split('\n')),
    ...parts.flatMap((each) => each ?? []).map(({ file }) => file),
  ])
  for (const name of readdirSync(files)) {
    const path = join(files, name)
    const isDraft = name.endsWith(DRAFT)
    const isOurs = /^[0-9a-f]{64}\.gz$/.test(name)
    if (isDraft ? isStale(path) : isOurs && !needed.has(name.slice(0, 64))) rmSync(path, { force: true })
  }
}
