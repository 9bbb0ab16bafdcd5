import { createHash } from 'node:crypto'
import {
  appendFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { syncDirectory } from '../embedded/postgres/create-cluster.ts'
import { QsError } from '../errors/qs-error.ts'
import { filesOf, type Manifest, readManifest, type SavedPart } from './manifest.ts'
import { thisProcess } from './process-name.ts'
import { DRAFT, FILES, pathOf, sync } from './saved-file.ts'

/** Names sort by time: qs-20261125T031500Z.json, and .dump for that of pg_dump. */
const NAME = /^qs-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.(json|dump)$/

export function backupName(now: Date, extension: 'json' | 'dump'): string {
  return `qs-${now.toISOString().replace(/\.\d+|[-:]/g, '')}.${extension}`
}

/** When a backup began, by its name. */
export function timeOf(path: string): number {
  return Date.parse(basename(path).replace(NAME, '$1-$2-$3T$4:$5:$6Z'))
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
 * A backup in the making. Its draft names the process that makes it and then lists the files that it needs, one a line, so that
 * nobody removes them meanwhile. The draft goes when the manifest is there, which says the same.
 */
export class BackupDraft {
  readonly path: string
  /** Where rows are written before their file gets its name. */
  readonly rowsPath: string
  readonly #folder: string
  readonly #draft: string
  /** Parts of earlier backups by key. */
  readonly #known: ReadonlyMap<string, SavedPart>

  constructor(folder: string, name: string) {
    this.#folder = folder
    this.path = join(folder, name)
    this.#draft = `${this.path}${DRAFT}`
    this.rowsPath = join(folder, FILES, basename(this.#draft))
    mkdirSync(join(folder, FILES), { recursive: true, mode: 0o700 })
    if (existsSync(this.path) || existsSync(this.#draft))
      throw new QsError('FILE_EXISTS', `${this.path} already exists`)
    writeFileSync(this.#draft, `${thisProcess()}\n`, { mode: 0o600 })
    this.#known = knownParts(folder)
  }

  /** From now on the file is kept, and will be when it appears. */
  need(file: string): void {
    appendFileSync(this.#draft, `${file}\n`)
  }

  /** Whether an earlier backup has a part with this key. */
  has(key: string): boolean {
    return this.#known.has(key)
  }

  /** The part of an earlier backup with this key, if its file is undamaged. */
  async find(key: string): Promise<SavedPart | null> {
    const part = this.#known.get(key)
    if (part === undefined) return null
    this.need(part.file)
    return (await isIntact(this.#folder, part)) ? part : null
  }

  /** The backup exists when this returns, and not before. @throws QsError if a file that it needs is not there */
  publish(manifest: Manifest): void {
    const whole = `${this.path}.whole${DRAFT}`
    try {
      writeFileSync(whole, `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600 })
      sync(whole)
      syncDirectory(join(this.#folder, FILES))
      for (const { file, bytes } of filesOf(manifest))
        if (statSync(pathOf(this.#folder, file), { throwIfNoEntry: false })?.size !== bytes)
          throw new QsError('BACKUP_FAILED', `${pathOf(this.#folder, file)} has vanished`)
      renameSync(whole, this.path)
      syncDirectory(this.#folder)
    } finally {
      rmSync(whole, { force: true })
    }
  }

  /** To be called at the end, also after publish(). */
  close(): void {
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
export function partsIn(path: string): readonly SavedPart[] | null {
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
