import { execFile, spawnSync } from 'node:child_process'
import {
  closeSync,
  fsyncSync,
  lchownSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { QsError } from '../../errors/qs-error.ts'
import { reasonOf } from '../../errors/reason-of.ts'
import { type Account, runAs, serverEnvironment } from './postgres-account.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { initialSettings } from './postgres-settings.ts'

/** Owner and superuser of the embedded database. */
const ROLE = 'qs'

export interface ClusterOptions {
  readonly cluster: string
  readonly account: Account | null
  readonly binaries: PostgresBinaries
}

/** The major version of the cluster, or null if there is none yet. */
export function clusterMajor(cluster: string): number | null {
  try {
    return Number.parseInt(readFileSync(join(cluster, 'PG_VERSION'), 'utf8'), 10)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/**
 * Creates the cluster under another name, sets the password, then renames it: it exists completely or not at all, so a
 * killed initdb leaves nothing that blocks the next start, only leftovers to remove.
 */
export async function createCluster(password: string, options: ClusterOptions): Promise<void> {
  const { cluster, account, binaries } = options
  const parent = dirname(cluster)
  const draftPrefix = `${basename(cluster)}.new-`
  for (const name of readdirSync(parent)) {
    if (name.startsWith(draftPrefix))
      rmSync(join(parent, name), { recursive: true, force: true, maxRetries: 10 })
  }
  // A new name for each attempt: an initdb that outlived a killed qs must not write into this one.
  const draft = mkdtempSync(join(parent, draftPrefix))
  if (account !== null) lchownSync(draft, account.uid, account.gid)

  await initdb(draft, options)
  setPassword(password, { cluster: draft, account, binaries })
  renameSync(draft, cluster)
  // Without this, a power failure may undo the rename after events were acked.
  syncDirectory(parent)
}

/**
 * Sets a new password through PostgreSQL's single-user mode, which requires none; the server must not run. It also
 * restores access if the password file was lost.
 */
export function setPassword(password: string, options: ClusterOptions): void {
  const { status, error, stderr } = spawnSync(
    options.binaries.postgres,
    ['--single', '-D', options.cluster, '-c', 'exit_on_error=on', 'postgres'],
    {
      ...runAs(options.account),
      cwd: '/',
      env: serverEnvironment,
      encoding: 'utf8',
      input: `alter role ${ROLE} password '${password}'\n`,
    },
  )
  if (status !== 0)
    throw new QsError(
      'POSTGRES_START_FAILED',
      `Cannot set the password of ${options.cluster}: ${error?.message ?? stderr.trim()}`,
    )
}

async function initdb(directory: string, { account, binaries }: ClusterOptions): Promise<void> {
  const options = [
    `--pgdata=${directory}`,
    `--username=${ROLE}`,
    '--encoding=UTF8',
    // PostgreSQL's own C.UTF-8, so that the order of an index does not depend on the system's libc, which may change
    // with every system upgrade.
    '--no-locale',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
    // There is no socket, and with password authentication for both, initdb would require a password file.
    '--auth-local=reject',
    '--auth-host=scram-sha-256',
    '--no-instructions',
    ...initialSettings,
  ]
  try {
    await promisify(execFile)(binaries.initdb, options, {
      ...runAs(account),
      cwd: '/',
      env: serverEnvironment,
    })
  } catch (cause) {
    rmSync(directory, { recursive: true, force: true })
    const reason = (cause as { stderr?: string }).stderr?.trim() ?? reasonOf(cause)
    throw new QsError('POSTGRES_START_FAILED', `initdb failed: ${reason}`, { cause })
  }
}

export function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
