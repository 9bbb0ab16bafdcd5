import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { diskSpaceOf } from '../../src/telemetry/disk-space.ts'

test('the space of a folder is read, and of none is unknown', () => {
  const { freeBytes, totalBytes } = diskSpaceOf(tmpdir()) ?? { freeBytes: 0, totalBytes: 0 }
  assert.ok(freeBytes >= 0 && totalBytes > freeBytes)
  assert.equal(diskSpaceOf('/nowhere'), null)
})
