import assert from 'node:assert/strict'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { DEFAULT_LIMITS } from '@qs-telemetry/protocol'
import { DeviceSession } from '../src/device-session.ts'
import type { DeviceWarning } from '../src/device-warning.ts'

test('a journal that cannot be forced to the disk is a warning, and its event is not published', async (t) => {
  const directory = fs.mkdtempSync(join(tmpdir(), 'qs-session-'))
  t.after(() => fs.rmSync(directory, { recursive: true }))
  const journal = { path: join(directory, 'journal'), fsync: true }
  const warnings: DeviceWarning['kind'][] = []
  const published: string[] = []
  const link = {
    ...{ isReady: true, hasRoom: false, onRoom: () => {} },
    whenRoom: (call: () => void) => {
      link.onRoom = call
    },
    publish: (_: string, payload: string | Buffer) => published.push(String(payload)),
  }
  const session = new DeviceSession(
    {
      ...{ deviceId: 'd', topic: 'qs/v1/d/events', limits: DEFAULT_LIMITS, journal },
      ...{ maxWaitingEvents: 10, batchEvents: 1, maxInFlightMessages: 10, resendAfterMs: 60_000 },
      onWarning: ({ kind }) => warnings.push(kind),
    },
    link,
  )
  t.after(() => session.close())
  session.open()
  session.send({ event_type: 't', value: 1 }).catch(() => {})
  await new Promise(setImmediate)
  session.send({ event_type: 't', value: 2 }).catch(() => {})
  link.hasRoom = true
  // The PUBACK of another message comes in the turn of the second event.
  whileTheDiskFails(link.onRoom)
  assert.deepEqual([warnings, published], [['journal'], []])
  await new Promise(setImmediate)
  assert.equal(published.length, 2)
})

function whileTheDiskFails(act: () => void): void {
  const fault = mock.method(fs, 'fdatasyncSync', () => {
    throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
  })
  syncBuiltinESMExports()
  try {
    act()
  } finally {
    fault.mock.restore()
    syncBuiltinESMExports()
  }
}
