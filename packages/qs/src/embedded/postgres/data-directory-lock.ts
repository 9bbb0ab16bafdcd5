import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { QsError } from '../../errors/qs-error.ts'
import { processIdentity } from './process-identity.ts'

export interface DataDirectoryLock {
  release(): void
}

interface Holder {
  readonly pid: number
  readonly started: string | null
}

/**
 * Allows only one `qs up` per data directory: a second one would take the first one's PostgreSQL for an orphan and stop
 * it.
 *
 * The lock is a file that names its holder by pid and start time. It needs no clean-up after kill -9 or a power
 * failure: if the holder is gone, the next start takes over. Node has no flock(), so the exclusive step is link(),
 * which fails if the name exists and never exposes a half-written file.
 *
 * @throws QsError with the pid if a running process holds it
 */
export function lockDataDirectory(dataDir: string): DataDirectoryLock {
  const directory = resolve(dataDir)
  mkdirSync(directory, { recursive: true })
  const path = join(directory, 'qs.lock')
  const mine = JSON.stringify({ pid: process.pid, started: processIdentity(process.pid) } satisfies Holder)

  for (let attempt = 0; attempt < 5; attempt++) {
    if (create(path, mine)) return { release: () => release(path, mine) }
    const held = read(path)
    if (held === null) continue
    const holder = parse(held)
    if (holder !== null && processIdentity(holder.pid) === holder.started)
      throw new QsError('DATA_DIRECTORY_IN_USE', `${directory} is in use by another qs (pid ${holder.pid})`)
    setAside(path, held)
  }
  throw new QsError('DATA_DIRECTORY_IN_USE', `Cannot lock ${directory}: other processes keep taking ${path}`)
}

function create(path: string, content: string): boolean {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, content)
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Removes a lock whose holder is gone; if another process took it over in the meantime, restores that one. */
function setAside(path: string, stale: string): void {
  const aside = `${path}.stale.${process.pid}`
  try {
    renameSync(path, aside)
    if (read(aside) !== stale) linkSync(aside, path)
  } catch {
    // Another start was faster; the next attempt checks again.
  } finally {
    rmSync(aside, { force: true })
  }
}

function release(path: string, mine: string): void {
  if (read(path) === mine) rmSync(path, { force: true })
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function parse(content: string): Holder | null {
  try {
    const holder = JSON.parse(content) as Partial<Holder>
    return typeof holder.pid === 'number' ? { pid: holder.pid, started: holder.started ?? null } : null
  } catch {
    return null
  }
}
