import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { instantFromMs } from '@qs-telemetry/protocol'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { backupAlarm } from '../../src/alarms/backup-alarm.ts'
import { BackupJob } from '../../src/backup/backup-job.ts'
import { readBackupState } from '../../src/backup/backup-state.ts'
import { removeOldBackups } from '../../src/backup/remove-backups.ts'
import { checkBackups } from '../../src/doctor/check-backups.ts'
import type { Clock } from '../../src/pipeline/clock.ts'

const MINUTE_MS = 60_000
const DAY_MS = 1440 * MINUTE_MS
const START_MS = Date.parse('2026-11-25T03:15:00Z')

/** A clock whose timers the test fires. */
class HandClock implements Clock {
  ms = 0
  #timer: { readonly atMs: number; readonly act: () => void } | null = null

  now = () => instantFromMs(START_MS + this.ms)
  monotonicMs = () => this.ms
  every = () => () => {}

  after(ms: number, act: () => void): () => void {
    this.#timer = { atMs: this.ms + ms, act }
    return () => {
      this.#timer = null
    }
  }

  /** Fires the next timer, `ms` later than due, and waits until the job has set another. */
  async next(ms = 0): Promise<void> {
    assert.ok(this.#timer)
    const { atMs, act } = this.#timer
    this.ms = atMs + ms
    this.#timer = null
    act()
    await until(() => this.#timer !== null, 'the run has ended')
  }
}

function startJob(t: TestContext, url: string, folder: string) {
  const clock = new HandClock()
  const times: number[] = []
  const backupTime = { set: (seconds: number) => void times.push(seconds) }
  const job = new BackupJob({
    ...{ url, folder, everyMs: DAY_MS, keep: 2, clock, log: silentLog().log },
    metrics: { backupTime } as never,
  })
  t.after(() => job.stop())
  job.start()
  return { job, clock, times }
}

async function open(t: TestContext) {
  const parent = mkdtempSync(join(tmpdir(), 'qs-backups-'))
  t.after(() => rmSync(parent, { recursive: true, force: true }))
  const folder = join(parent, 'backups')
  return { url: await migratedDatabase(t), folder }
}

const backupsIn = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('qs-'))

test('a backup is made when the newest is too old, and old ones are removed after it', async (t) => {
  const { url, folder } = await open(t)
  const { job, clock, times } = startJob(t, url, folder)
  await clock.next()
  assert.deepEqual(backupsIn(folder), ['qs-20261125T031530Z.json'])
  assert.equal(times.at(-1), START_MS / 1000 + 30)
  await clock.next(DAY_MS / 2)
  assert.equal(backupsIn(folder).length, 1)
  for (let day = 0; day < 3; day++) await clock.next(DAY_MS)
  assert.equal(backupsIn(folder).length, 2)
  assert.deepEqual(job.health, { failure: null, dueSinceMs: null, ahead: [] })
})

test('one of two ingesters makes the backups, and the other takes over when it ends', async (t) => {
  const { url, folder } = await open(t)
  const [first, second] = [startJob(t, url, folder), startJob(t, url, `${folder}-2`)]
  await first.clock.next()
  await second.clock.next()
  await second.clock.next(2 * DAY_MS)
  assert.equal(readBackupState(`${folder}-2`, START_MS).newestMs, null)
  assert.deepEqual(second.job.health, { failure: null, dueSinceMs: null, ahead: [] })
  await first.job.stop()
  await until(async () => {
    await second.clock.next()
    return readBackupState(`${folder}-2`, START_MS + second.clock.ms).newestMs !== null
  }, 'the other makes a backup')
})

test('a failure removes no backup, raises the alarm until one succeeds, and qs doctor says why', async (t) => {
  const { url, folder } = await open(t)
  const { job, clock } = startJob(t, url, folder)
  await clock.next()
  const files = join(folder, 'files')
  rmSync(files, { recursive: true })
  writeFileSync(files, 'not a folder')
  const alarm = backupAlarm(() => job.health)
  const settings = { BACKUP_EVERY: DAY_MS, BACKUP_DIR: folder } as Parameters<typeof checkBackups>[0]
  await clock.next(DAY_MS)
  assert.match(String(alarm.check(0)), /last backup failed: .*files/)
  assert.match(String(readBackupState(folder, START_MS).failure), /files/)
  const finding = await checkBackups(settings, START_MS + clock.ms)
  assert.equal(finding.status, 'problem')
  assert.match(finding.detail, /failed: .*files.*newest is of 2026-11-25T03:15:30/s)
  assert.equal(backupsIn(folder).length, 1)

  rmSync(files)
  mkdirSync(files)
  await clock.next()
  assert.notEqual(alarm.check(0), null, 'the next try is in ten minutes')
  await clock.next(10 * MINUTE_MS)
  assert.equal(alarm.check(0), null)
  assert.equal((await checkBackups(settings, START_MS + clock.ms)).status, 'ok')
  assert.equal((await checkBackups(settings, START_MS + clock.ms + 3 * DAY_MS)).status, 'problem')
})

test('a backup dated ahead neither delays the next ones nor counts among those to keep, and a person hears of it', async (t) => {
  const { url, folder } = await open(t)
  const { job, clock } = startJob(t, url, folder)
  const ahead = 'qs-20400101T000000Z.json'
  await clock.next()
  const [made = ''] = backupsIn(folder)
  copyFileSync(join(folder, made), join(folder, ahead))
  for (let day = 0; day < 3; day++) await clock.next(DAY_MS)
  assert.equal(backupsIn(folder).length, 3)
  assert.ok(backupsIn(folder).includes(ahead))
  assert.match(String(backupAlarm(() => job.health).check(0)), /clock was ahead.*qs-20400101T000000Z.json/)
  const settings = { BACKUP_EVERY: DAY_MS, BACKUP_DIR: folder } as Parameters<typeof checkBackups>[0]
  const finding = await checkBackups(settings, START_MS + clock.ms)
  assert.equal(finding.status, 'warning')
  assert.match(finding.detail, /newest is of 2026-11-28.*qs-20400101T000000Z.json/)
})

test('the backup that was just made is never removed, whatever the clock said when it began', async (t) => {
  const { folder } = await open(t)
  mkdirSync(folder)
  const names = [
    'qs-19700101T000030Z.json',
    'qs-20261124T031500Z.json',
    'qs-20261125T031500Z.json',
    'qs-20400101T000000Z.json',
  ]
  for (const name of names) writeFileSync(join(folder, name), '')
  const [made = '', old = '', newer = '', ahead = ''] = names.map((name) => join(folder, name))
  assert.deepEqual(removeOldBackups(folder, { keep: 2, made, nowMs: START_MS }), [old])
  assert.deepEqual(removeOldBackups(folder, { keep: 1, made: ahead, nowMs: START_MS }), [newer, made])
  assert.deepEqual(backupsIn(folder), ['qs-20400101T000000Z.json'])
})

test('a backup that does not come raises the alarm after six hours', () => {
  const dueSinceMs = START_MS
  const at = (hours: number) =>
    backupAlarm(
      () => ({ failure: null, dueSinceMs, ahead: [] }),
      () => START_MS + hours * 60 * MINUTE_MS,
    ).check(0)
  assert.equal(at(5), null)
  assert.match(String(at(7)), /due since 2026-11-25T03:15:00.000Z/)
  assert.equal(backupAlarm(() => null).check(0), null)
})
