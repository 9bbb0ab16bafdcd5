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
import { type Account, runAs, serverEnvironment } from './postgres-account.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { initialSettings } from './postgres-settings.ts'

/** The role of the embedded database, and its superuser. */
const ROLE = 'qs'

export interface ClusterOptions {
  readonly cluster: string
  readonly account: Account | null
  readonly binaries: PostgresBinaries
}

/** The major version that made the cluster, or null where there is none yet. */
export function clusterMajor(cluster: string): number | null {
  try {
    return Number.parseInt(readFileSync(join(cluster, 'PG_VERSION'), 'utf8'), 10)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/**
 * Makes the cluster under another name and renames it, password and all: it is there complete or not at all,
 * so an initdb that was killed half way leaves nothing that blocks the next start. Only leftovers to remove.
 */
export async function createCluster(password: string, options: ClusterOptions): Promise<void> {
  const { cluster, account, binaries } = options
  const parent = dirname(cluster)
  const draftPrefix = `${basename(cluster)}.new-`
  for (const name of readdirSync(parent)) {
    if (name.startsWith(draftPrefix))
      rmSync(join(parent, name), { recursive: true, force: true, maxRetries: 10 })
  }
  // A name of its own for each attempt: an initdb that outlived a killed qs must not write into this one.
  const draft = mkdtempSync(join(parent, draftPrefix))
  if (account !== null) lchownSync(draft, account.uid, account.gid)

  await initdb(draft, options)
  setPassword(password, { cluster: draft, account, binaries })
  renameSync(draft, cluster)
  // Without this a power cut may undo the rename under events that were acked.
  syncDirectory(parent)
}

/**
 * Gives the role a new password through PostgreSQL's single-user mode, which asks for none; the server must
 * not run. Also the way back in after the password file was lost.
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
    throw new Error(`cannot set the password of ${options.cluster}: ${error?.message ?? stderr}`)
}

async function initdb(directory: string, { account, binaries }: ClusterOptions): Promise<void> {
  const options = [
    `--pgdata=${directory}`,
    `--username=${ROLE}`,
    '--encoding=UTF8',
    // PostgreSQL's own C.UTF-8, so that the order of an index does not depend on the system's libc, which
    // changes under a cluster with every upgrade of the system.
    '--no-locale',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
    // There is no socket, and with both of them by password initdb would want one in a file.
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
    throw new Error(`initdb failed: ${(cause as { stderr?: string }).stderr ?? String(cause)}`, { cause })
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
