import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startTestCluster } from '@qs-telemetry/testing/postgres-cluster.ts'
import { migrate } from '../../src/database/migrate.ts'

/** A migrated database on a file system of so many MiB, in memory. @returns null: none can be mounted here */
export async function smallDisk(t: TestContext, mib: number) {
  const directory = mkdtempSync(join(tmpdir(), 'qs-small-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m,mode=755`, 'tmpfs', directory], {
      stdio: 'ignore',
    })
  } catch {
    rmdirSync(directory)
    return null
  }
  const cluster = await startTestCluster({
    parent: directory,
    settings: ['max_wal_size=48MB', 'min_wal_size=32MB', 'shared_buffers=32MB'],
  })
  t.after(async () => {
    await cluster.stop()
    execFileSync('umount', [directory])
    rmdirSync(directory)
  })
  await migrate(cluster.url)
  return {
    url: cluster.url,
    freeBytes: () => {
      const { bavail, bsize } = statfsSync(directory)
      return bavail * bsize
    },
  }
}
