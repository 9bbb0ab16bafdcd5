import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { readVariable } from '../../config/environment.ts'
import { QsError } from '../../errors/qs-error.ts'

/** The account that PostgreSQL runs as, if not the current one. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** Folder for files that the account must reach if it cannot enter the clone or the data directory. */
export const systemDirectory = '/var/lib/qs-telemetry'

/**
 * Environment of a server process. PGDATA, PGPORT and the like of the caller must not reach it.
 */
export const serverEnvironment: NodeJS.ProcessEnv = {
  PATH: readVariable('PATH') ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
}

/**
 * PostgreSQL refuses to run as root. As root, qs starts it as the owner of an existing cluster, else as `postgres`,
 * else as `nobody`; null means the current account.
 *
 * @throws as root, if the cluster belongs to root; otherwise, if it belongs to another account
 */
export function serverAccount(cluster: string): Account | null {
  const us = process.getuid?.()
  const owner = statSync(cluster, { throwIfNoEntry: false })
  if (us !== 0) {
    if (owner === undefined || us === undefined || owner.uid === us) return null
    throw new QsError('DATA_DIRECTORY_OWNER', `${cluster} belongs to the account with uid ${owner.uid}`)
  }
  if (owner?.uid === 0) {
    throw new QsError(
      'DATA_DIRECTORY_OWNER',
      `${cluster} belongs to root, and PostgreSQL does not run as root. ` +
        `Give it to another account: chown -R ${ordinaryAccount().name} ${cluster}.`,
    )
  }
  return owner ? { name: `uid ${owner.uid}`, uid: owner.uid, gid: owner.gid } : ordinaryAccount()
}

/** spawn() options to switch to the account; this also drops root's supplementary groups. */
export function runAs(account: Account | null): { readonly uid?: number; readonly gid?: number } {
  return account === null ? {} : { uid: account.uid, gid: account.gid }
}

/**
 * Whether the account can enter the directory. Tested, since modes of parents, ACLs and mounts matter.
 */
export function canEnter(directory: string, account: Account): boolean {
  const probe = spawnSync('/bin/sh', ['-c', 'cd "$0"', directory], {
    ...runAs(account),
    cwd: '/',
    env: serverEnvironment,
    stdio: 'ignore',
  })
  return probe.status === 0
}

/** Creates a folder, with its parents, that every account may enter, regardless of the umask. */
export function makeReachable(directory: string): void {
  const first = mkdirSync(directory, { recursive: true })
  if (first === undefined) return
  for (let made = directory; made.length >= first.length; made = dirname(made)) chmodSync(made, 0o755)
}

function ordinaryAccount(): Account {
  for (const name of ['postgres', 'nobody']) {
    const account = findAccount(name)
    if (account !== null) return account
  }
  throw new QsError(
    'DATA_DIRECTORY_OWNER',
    'PostgreSQL does not run as root, and there is no account postgres or nobody to run it as. ' +
      'Start qs as an ordinary user, or add the account: useradd --system postgres.',
  )
}

export function findAccount(name: string): Account | null {
  const [uid, gid] = [id('-u', name), id('-g', name)]
  return uid === null || gid === null ? null : { name, uid, gid }
}

function id(option: '-u' | '-g', name: string): number | null {
  const { status, stdout } = spawnSync('id', [option, name], { encoding: 'utf8' })
  return status === 0 ? Number(stdout) : null
}
