import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { writeSkipped } from './row.ts'
import { scale } from './scale.ts'
import { openStage } from './stage.ts'

const HOUR = 3600
/** Successive errors of the host's clock, in seconds. */
const OFFSETS = scale([HOUR, -2 * HOUR, 400 * 24 * HOUR, -400 * 24 * HOUR, 1, 0], [HOUR, -2 * HOUR])
const LIMIT_MS = 5_000
const FAULT = `clock of the host set ${OFFSETS.length} times, forwards and backwards`

test('a clock that jumps an hour or a year, either way, moves server times and nothing else', {
  skip: mosquittoMissing,
}, async (t) => {
  const library = findLibrary()
  if (library === null) {
    const reason = 'libfaketime is not installed (apt-get install faketime)'
    writeSkipped(FAULT, reason)
    return t.skip(reason)
  }
  const directory = mkdtempSync(join(tmpdir(), 'qs-regression-clock-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const clock = join(directory, 'clock')
  const setClock = (offset: number) => writeFileSync(clock, `${offset < 0 ? '' : '+'}${offset}`)
  setClock(0)
  const stage = await openStage(t, {
    fault: FAULT,
    fleet: { eventsPerSecond: 500 },
    settings: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_CACHE_DURATION: '1',
      // As on a real host, the monotonic clock never steps.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  })
  const newestOffset = async () => {
    const [row] = await stage.postgres.query(`
      select extract(epoch from ts_server - pg_xact_commit_timestamp(xmin))::float as seconds
      from events order by pg_xact_commit_timestamp(xmin) desc limit 1`)
    return Number(row?.seconds)
  }
  for (const offset of OFFSETS) {
    await stage.more(500)
    setClock(offset)
    await until(
      async () => Math.abs((await newestOffset()) - offset) < 5,
      `rows show that the clock is ${offset} s off`,
    )
    await stage.flowing(LIMIT_MS, `the clock went to ${offset} s`)
    // Events in flight across a jump are sent again and must not become conflicts.
    await stage.more(500)
    assert.ok(stage.ingester.isRunning, 'it ended')
    assert.equal((await stage.ingester.gauges())?.isConnected, true)
  }
  await stage.finish()
})

/** Path of libfaketime for multi-threaded programs, or null. */
function findLibrary(): string | null {
  for (const architecture of readdirSync('/usr/lib')) {
    const folder = join('/usr/lib', architecture, 'faketime')
    try {
      const name = readdirSync(folder).find((each) => each.startsWith('libfaketimeMT.so'))
      if (name !== undefined) return join(folder, name)
    } catch {}
  }
  return null
}
