import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { startQs } from '@qs-telemetry/testing/qs.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import pg from 'pg'
import { backup } from '../../src/backup/backup.ts'
import { BackupDraft, listBackups } from '../../src/backup/backup-folder.ts'
import { filesOf, type Manifest } from '../../src/backup/manifest.ts'
import { removeUnneeded } from '../../src/backup/remove-backups.ts'
import { pathOf, saveFile } from '../../src/backup/saved-file.ts'

const signal = new AbortController().signal

function freshFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'qs-backup-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

async function withEvents(t: TestContext, events: number): Promise<string> {
  const url = await migratedDatabase(t)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`insert into events (event_id, device_id, event_type, value_text, ts, ts_server, schema)
    select 'd-' || n, 'd', 't', md5(n::text), now(), now(), 1 from generate_series(1, ${events}) n`)
  await client.query('analyze events')
  await client.end()
  return url
}

const save = (databaseUrl: string, folder: string, freeBytes?: () => number) =>
  backup({
    ...{ databaseUrl, folder, now: new Date(), leaveOutOthers: false, signal, onRows: () => {} },
    ...(freeBytes && { freeBytes }),
  })

test('a backup that is killed is none, and the next run removes what it left', async (t) => {
  const url = await withEvents(t, 200_000)
  const folder = freshFolder(t)
  const qs = startQs(t, ['backup', '--out', folder], { env: { DATABASE_URL: url } })
  const files = join(folder, 'files')
  const rows = () => (existsSync(files) ? readdirSync(files).filter((name) => name.endsWith('.partial')) : [])
  await until(
    () =>
      rows().some((name) => (statSync(join(files, name), { throwIfNoEntry: false })?.size ?? 0) > 100_000),
    'rows are written',
  )
  qs.process.kill('SIGKILL')
  await qs.exit()
  assert.deepEqual(listBackups(folder), [])
  assert.equal(rows().length, 1)

  const { manifest, path } = await save(url, folder)
  assert.deepEqual(listBackups(folder), [path])
  const names = new Set(filesOf(manifest).map(({ file }) => `${file}.gz`))
  assert.deepEqual(readdirSync(files).sort(), [...names].sort())
  assert.equal(readdirSync(folder).length, 2)
})

test('a file is listed before it has its name, so that nobody removes it between', async (t) => {
  const folder = freshFolder(t)
  const draft = new BackupDraft(folder, 'qs-20261125T031500Z.json')
  const needed: string[] = []
  const { file } = await saveFile(Readable.from([Buffer.from('a\tb\n')]), {
    ...{ folder, draft: draft.rowsPath, signal, onRows: () => {} },
    need: (name) => {
      assert.ok(!existsSync(pathOf(folder, name)))
      draft.need(name)
      needed.push(name)
    },
  })
  assert.deepEqual(needed, [file])
  removeUnneeded(folder)
  assert.ok(existsSync(pathOf(folder, file)))
  draft.close()
  removeUnneeded(folder)
  assert.deepEqual(readdirSync(join(folder, 'files')), [])
})

test('a backup whose file has vanished gets no manifest, and keeps its list until it ends', (t) => {
  const folder = freshFolder(t)
  const draft = new BackupDraft(folder, 'qs-20261125T031500Z.json')
  const part = { file: 'a'.repeat(64), bytes: 1, rows: 1, checksum: '1', key: null }
  const manifest = {
    tables: [{ table: 'events', columns: ['event_id'], parts: [part] }],
  } as unknown as Manifest
  assert.throws(() => draft.publish(manifest), /aaa.gz has vanished/)
  assert.deepEqual(listBackups(folder), [])
  assert.deepEqual(readdirSync(folder).sort(), ['files', 'qs-20261125T031500Z.json.partial'])
})

test('a file that was set aside by a process that was killed comes back if a backup needs it', (t) => {
  const folder = freshFolder(t)
  const [kept, gone] = ['a'.repeat(64), 'b'.repeat(64)]
  mkdirSync(join(folder, 'files'))
  for (const file of [kept, gone]) writeFileSync(join(folder, 'files', `${file}.gz.partial`), '')
  writeFileSync(join(folder, 'qs-20261125T031500Z.json.partial'), `\n${kept}\n`)
  removeUnneeded(folder)
  assert.deepEqual(readdirSync(join(folder, 'files')), [`${kept}.gz`])
})

test('a backup that cannot fit is refused before it writes, with what it needs and what is free', async (t) => {
  const url = await withEvents(t, 20_000)
  const folder = freshFolder(t)
  await assert.rejects(
    save(url, folder, () => 1_000),
    {
      code: 'BACKUP_NO_ROOM',
      message: /needs at least 400 KB, but .* has 1.0 KB free.*BACKUP_KEEP/s,
    },
  )
  assert.deepEqual(readdirSync(folder, { recursive: true }), ['files'])
  const { path } = await save(url, folder, () => 10_000_000)
  assert.deepEqual(listBackups(folder), [path])
})
