import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Storage } from '@qs-telemetry/protocol/api'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import { psqlMissing, runRoles, session, startLockedCluster, urlOf } from '@qs-telemetry/testing/roles.ts'
import { migrate, readMigrations } from '../../src/database/migrate.ts'
import { ERRORS, type ErrorCode } from '../../src/errors/errors.ts'

/** The last version without segments. */
const OLDER = 17

const WHOLE = '{"schema":1,"event_id":"a","device_id":"d","event_type":"t"}'

type Answer = 'ok' | ErrorCode

test('a command with the wrong role, login or database says what to do, without an error of PostgreSQL alone', {
  skip: psqlMissing,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'qs-wrong-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const cluster = await startLockedCluster(t)
  await runRoles(cluster)
  const owner = urlOf(cluster, 'qs')
  await migrate(owner)
  const superuser = await session(t, cluster.url)
  for (const name of ['bare', 'older']) await superuser.query(`create database ${name} owner qs`)
  const database = (name: string) => owner.replace(/qs$/, name)
  await migrate(
    database('older'),
    (await readMigrations()).filter(({ version }) => version <= OLDER),
  )
  for (const url of [owner, database('older')]) {
    const client = await session(t, url)
    await client.query(`insert into dead_letters (received_at, topic, device_id, event_id, code, error, trace, payload, fingerprint)
      values (now(), 'qs/v1/d/events', 'd', 'a', 'INVALID_VALUE', 'e', 't', '{}', gen_random_uuid())`)
  }
  const made = await runCommand(['backup', '--json', '--out', directory], { DATABASE_URL: owner })
  const { file } = JSON.parse(made.stdout) as { readonly file: string }

  const urls = {
    qs_ingester: urlOf(cluster, 'qs_ingester'),
    qs_console: urlOf(cluster, 'qs_console'),
    'wrong password': urlOf(cluster, 'qs', 'wrong'),
    'not migrated': database('bare'),
    older: database('older'),
  }
  const [login, forbids, outdated] = ['DATABASE_LOGIN_REFUSED', 'ROLE_FORBIDS', 'SCHEMA_OUTDATED'] as const
  /** Each role and each database, in the order of `urls`. */
  const commands: readonly (readonly [command: string, answers: readonly Answer[]])[] = [
    ['storage', ['ok', 'ok', login, outdated, 'ok']],
    ['keep ls', ['ok', 'ok', login, outdated, outdated]],
    ['keep set board-* temp 30d', [forbids, forbids, login, outdated, outdated]],
    ['keep rm board-* temp', [forbids, forbids, login, outdated, outdated]],
    [`export ${directory}/cold`, ['ok', 'ok', login, outdated, outdated]],
    ['deadletter ls', [forbids, 'ok', login, outdated, 'ok']],
    ['deadletter show 1', [forbids, 'ok', login, outdated, 'ok']],
    [`deadletter fix 1 --merge ${WHOLE}`, [forbids, 'ok', login, outdated, outdated]],
    ['deadletter purge 1 --yes', [forbids, 'ok', login, outdated, 'ok']],
    [`backup --out ${directory}/saved`, ['BACKUP_RIGHTS', 'BACKUP_RIGHTS', login, 'NOTHING_TO_SAVE', 'ok']],
    // Last, since it brings a database up to date.
    [`restore --replace ${file}`, ['NOT_THE_OWNER', 'NOT_THE_OWNER', login, 'ok', 'ok']],
  ]
  const found: Record<string, readonly string[]> = {}
  for (const [command] of commands) {
    const answers: string[] = []
    for (const url of Object.values(urls)) {
      const { code, stderr } = await runCommand(command.split(' '), {
        DATABASE_URL: url,
        LOG_LEVEL: 'silent',
      })
      const said = Object.entries(ERRORS).find(([, { advice }]) => stderr.includes(advice))
      answers.push(code === 0 ? 'ok' : (said?.[0] ?? stderr))
    }
    found[command] = answers
  }
  assert.deepEqual(found, Object.fromEntries(commands))
  await t.test('and the services may see the size of the log of PostgreSQL', async () => {
    for (const url of [owner, urls.qs_ingester, urls.qs_console]) {
      const { stdout } = await runCommand(['storage', '--json'], { DATABASE_URL: url })
      const { parts } = JSON.parse(stdout) as Storage
      assert.ok(parts.some(({ name, bytes }) => name === 'WAL' && bytes > 0))
    }
  })
})
