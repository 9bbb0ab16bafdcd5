import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { lasting } from './lasting.ts'
import { writeSkipped } from './row.ts'
import { scale } from './scale.ts'
import { testBothStacks } from './stacks.ts'

const TIMES = scale(3, 1)
const LIMIT_MS = 10_000
const DISK_MB = 128
/** Left for PostgreSQL when its disk is filled from outside. */
const LEFT_MB = 1
const FULL = /No space left on device/g
const FAULT = `disk of PostgreSQL full ${TIMES === 1 ? 'once' : `${TIMES} times`}`

testBothStacks('a full disk stops the flow; once space is freed everything is stored', async (t, open) => {
  const disk = mountSmallDisk(t)
  if (disk === null) {
    writeSkipped(FAULT, 'only root may mount a small disk')
    return t.skip('only root may mount a small disk')
  }
  const stage = await open(t, {
    fault: FAULT,
    fleet: { eventsPerSecond: 500 },
    postgres: {
      directory: disk,
      settings: ['min_wal_size=32MB', 'max_wal_size=32MB', 'checkpoint_timeout=30s'],
    },
  })
  const { postgres } = stage
  const ballast = join(disk, 'ballast')
  const timesFull = () => postgres.log().match(FULL)?.length ?? 0
  for (let n = 0; n < TIMES; n++) {
    await stage.more(500)
    const before = timesFull()
    const { bavail, bsize } = statfsSync(disk)
    writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - LEFT_MB * 2 ** 20)))
    await until(() => timesFull() > before, 'PostgreSQL says that its disk is full', 120_000)
    await lasting(3_000)
    rmSync(ballast)
    // If the log (WAL) had no room, the server has stopped itself.
    if (!postgres.isRunning) await postgres.start()
    await stage.flowing(LIMIT_MS, 'there is space again')
  }
  await stage.more(500)
  await stage.finish()
})

/** A disk for this test, or null if this account may not mount one. */
function mountSmallDisk(t: TestContext): string | null {
  const directory = mkdtempSync(join(tmpdir(), 'qs-regression-disk-'))
  const size = `size=${DISK_MB}m,mode=0755`
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', directory])
  t.after(() => {
    // Lazily: PostgreSQL ends after this hook.
    if (status === 0) spawnSync('umount', ['--lazy', directory])
    rmdirSync(directory)
  })
  return status === 0 ? directory : null
}
