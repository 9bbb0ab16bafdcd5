import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readlinkSync, renameSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Log } from '../../telemetry/log.ts'
import { type Account, canEnter, makeReachable } from './postgres-account.ts'

export interface PlaceOptions {
  /** Absolute, existing. */
  readonly dataDir: string
  readonly systemDirectory: string
  readonly log: Log
}

/** Where the cluster of this data directory is, or belongs: `<dataDir>/postgres`, or what that points to. */
export function clusterPath(dataDir: string): string {
  const path = join(dataDir, 'postgres')
  const there = lstatSync(path, { throwIfNoEntry: false })
  return there?.isSymbolicLink() ? resolve(dataDir, readlinkSync(path)) : path
}

/**
 * Makes sure that the account can reach the place of the cluster, and returns it. A data directory below
 * /root or in a `mktemp -d` is closed to every other account, and opening folders that others made is not
 * ours to do. Then the cluster lives in a folder of ours and `<dataDir>/postgres` points to it.
 */
export function placeCluster(account: Account | null, options: PlaceOptions): string {
  const { dataDir, log } = options
  const path = clusterPath(dataDir)
  const link = join(dataDir, 'postgres')
  if (account === null || path !== link || canEnter(dataDir, account)) return path
  if (existsSync(link)) {
    throw new Error(
      `PostgreSQL does not run as root, and ${account.name}, to whom ${link} belongs, cannot enter ` +
        `${dataDir}. Move the directory to where it can (/var/lib/…, /srv/…) and set QS_DATA_DIR.`,
    )
  }

  const clusters = join(options.systemDirectory, 'clusters')
  const target = join(clusters, createHash('sha256').update(dataDir).digest('hex').slice(0, 16))
  makeReachable(clusters)
  if (existsSync(target)) {
    // The link is made before the cluster, so somebody removed it, to begin anew. Data is never deleted.
    const aside = `${target}.removed-${Date.now()}`
    renameSync(target, aside)
    log.warn({ aside }, `${dataDir} was removed, its database was not: it is now ${aside}`)
  }
  symlinkSync(target, link)
  log.info(
    { target },
    `PostgreSQL runs as ${account.name}, who cannot enter ${dataDir}: its files are in ${target}`,
  )
  return target
}
