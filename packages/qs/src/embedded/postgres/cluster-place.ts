import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readlinkSync, renameSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { QsError } from '../../errors/qs-error.ts'
import type { Log } from '../../telemetry/log.ts'
import { type Account, canEnter, makeReachable } from './postgres-account.ts'

export interface PlaceOptions {
  /** Absolute, existing. */
  readonly dataDir: string
  readonly systemDirectory: string
  readonly log: Log
}

/** The path of the cluster, existing or not: `<dataDir>/postgres`, or the target of that link. */
export function clusterPath(dataDir: string): string {
  const path = join(dataDir, 'postgres')
  const there = lstatSync(path, { throwIfNoEntry: false })
  return there?.isSymbolicLink() ? resolve(dataDir, readlinkSync(path)) : path
}

/**
 * Returns a path for the cluster that the account can reach. A data directory below /root or in a `mktemp -d` is closed
 * to every other account, and qs must not change the permissions of folders it did not create. The cluster is then in a
 * folder of qs, and `<dataDir>/postgres` links to it.
 */
export function placeCluster(account: Account | null, options: PlaceOptions): string {
  const { dataDir, log } = options
  const path = clusterPath(dataDir)
  const link = join(dataDir, 'postgres')
  if (account === null || path !== link || canEnter(dataDir, account)) return path
  if (existsSync(link)) {
    throw new QsError(
      'DATA_DIRECTORY_OWNER',
      `PostgreSQL does not run as root, and ${account.name}, the owner of ${link}, cannot enter ${dataDir}. ` +
        'Move the directory to a place that it can enter, such as /var/lib or /srv',
    )
  }

  const clusters = join(options.systemDirectory, 'clusters')
  const target = join(clusters, createHash('sha256').update(dataDir).digest('hex').slice(0, 16))
  makeReachable(clusters)
  if (existsSync(target)) {
    // The link is created before the cluster, so a user removed it to start anew. Data is never deleted.
    const aside = `${target}.removed-${Date.now()}`
    renameSync(target, aside)
    log.warn({ aside }, `${dataDir} was removed but its database was not: it is now ${aside}`)
  }
  symlinkSync(target, link)
  log.info(
    { target },
    `PostgreSQL runs as ${account.name}, which cannot enter ${dataDir}: its files are in ${target}`,
  )
  return target
}
