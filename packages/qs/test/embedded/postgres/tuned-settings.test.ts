import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryOf } from '../../../src/embedded/postgres/machine.ts'
import { tunedSettings } from '../../../src/embedded/postgres/tuned-settings.ts'

const [MB, GB] = [2 ** 20, 2 ** 30]

const NAMES = ['shared_buffers', 'max_wal_size', 'min_wal_size', 'maintenance_work_mem', 'io_workers']

/** Memory, cores, free disk, and the settings of NAMES in this order. */
const MACHINES = {
  'a Raspberry Pi Zero, 8 GB card': [512 * MB, 1, 3 * GB, '64MB', '192MB', '64MB', '16MB', '1'],
  'the same with a full card': [512 * MB, 1, 0, '64MB', '80MB', '64MB', '16MB', '1'],
  'the same with a large card': [512 * MB, 4, 100 * GB, '64MB', '512MB', '128MB', '16MB', '3'],
  'a container of 200 MB': [200 * MB, 2, 100 * GB, '32MB', '200MB', '64MB', '16MB', '2'],
  'a Raspberry Pi 4, 32 GB card': [4 * GB, 4, 20 * GB, '512MB', '1280MB', '320MB', '128MB', '3'],
  'a small server': [8 * GB, 4, 200 * GB, '1024MB', '4096MB', '1024MB', '256MB', '3'],
  'a server': [64 * GB, 32, 2_000 * GB, '1024MB', '4096MB', '1024MB', '256MB', '3'],
} as const

for (const [name, [memoryBytes, cores, freeDiskBytes, ...expected]] of Object.entries(MACHINES))
  test(`PostgreSQL is tuned for ${name}`, () => {
    const settings = tunedSettings({ memoryBytes, cores, freeDiskBytes })
    assert.deepEqual(
      NAMES.map((setting) => settings[setting]),
      expected,
    )
  })

test('one core runs no parallel queries', () => {
  const machine = { memoryBytes: GB, freeDiskBytes: GB }
  assert.deepEqual(
    [1, 2, 4, 16].map((cores) => tunedSettings({ ...machine, cores }).max_parallel_workers_per_gather),
    ['0', '1', '2', '2'],
  )
})

test('the limit of a container counts as its memory, and a cgroup without one does not', () => {
  assert.equal(memoryOf(24 * GB, 512 * MB), 512 * MB)
  assert.equal(memoryOf(24 * GB, 0), 24 * GB)
  assert.equal(memoryOf(24 * GB, 2 ** 64), 24 * GB)
})
