import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../../telemetry/log.ts'
import type { Account } from './postgres-account.ts'

const INCLUDE = "include_if_exists = 'qs.conf'"
const HEADER = `# Written by qs at every start, from the memory, the cores and the disk of the machine.
# Set anything else in postgresql.conf or with ALTER SYSTEM: both take precedence over this file.
`

/** Values that initdb or an earlier qs wrote to postgresql.conf, so that they are no choice of the operator. */
const WRITTEN_BEFORE: Readonly<Record<string, readonly string[]>> = {
  shared_buffers: ['128MB'],
  max_wal_size: ['1GB', '2GB'],
  min_wal_size: ['80MB'],
  checkpoint_timeout: ['15min'],
}

/**
 * Writes the settings to `qs.conf`, which `postgresql.conf` includes in its first line: what the operator sets there or
 * with ALTER SYSTEM comes later and wins. A cluster that has no such line yet gets it, and loses the values that were
 * written for it before. Without the file (a full disk) PostgreSQL starts all the same, on its defaults.
 */
export function writeTuning(
  settings: Readonly<Record<string, string>>,
  {
    cluster,
    account,
    log,
  }: { readonly cluster: string; readonly account: Account | null; readonly log: Log },
): void {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
  const [tuning, main] = [join(cluster, 'qs.conf'), join(cluster, 'postgresql.conf')]
  try {
    replace(tuning, HEADER + lines.join(''), account)
    const text = read(main)
    if (text !== null && !text.split('\n').includes(INCLUDE))
      replace(main, `${INCLUDE}\n${withoutWrittenBefore(text)}`, account)
  } catch (error) {
    log.warn(error, `cannot write ${tuning}: PostgreSQL keeps its former settings`)
  }
}

/** The text of postgresql.conf with those lines turned into comments. */
export function withoutWrittenBefore(text: string): string {
  const isOld = (line: string) => {
    const [, name = '', value = ''] = /^\s*(\w+)\s*=?\s*'?([\w.]+)'?\s*(?:#.*)?$/.exec(line) ?? []
    return WRITTEN_BEFORE[name]?.includes(value) ?? false
  }
  return text
    .split('\n')
    .map((line) => (isOld(line) ? `#${line}` : line))
    .join('\n')
}

/** Null if there is none. */
function read(path: string): string | null {
  // The folder belongs to another account, perhaps, while qs is root: no link is followed.
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/** In one step, so that a full disk or a crash leaves the file as it was. Keeps the date if nothing changes. */
function replace(path: string, text: string, account: Account | null): void {
  if (read(path) === text) return
  const draft = `${path}.new`
  rmSync(draft, { force: true })
  const file = openSync(draft, 'wx', 0o600)
  try {
    fchmodSync(file, 0o600)
    if (account !== null) fchownSync(file, account.uid, account.gid)
    writeSync(file, text)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
}
