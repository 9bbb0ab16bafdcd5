import type { ClientBase } from 'pg'
import { type Finding, ok, problem, warning } from './finding.ts'

const SQL = `
select current_setting('fsync') as fsync, current_setting('full_page_writes') as "fullPageWrites",
  current_setting('synchronous_commit') as "synchronousCommit",
  current_setting('synchronous_standby_names') as "standbys", current_setting('autovacuum') as autovacuum,
  current_setting('default_transaction_read_only') as "readOnly", pg_is_in_recovery() as "isStandby"`

interface Settings {
  readonly fsync: string
  readonly fullPageWrites: string
  readonly synchronousCommit: string
  readonly standbys: string
  readonly autovacuum: string
  readonly readOnly: string
  readonly isStandby: boolean
}

/** Whether a COMMIT is durable: a device deletes its copy after it. */
export async function* checkDurability(database: ClientBase): AsyncGenerator<Finding> {
  const [settings] = (await database.query<Settings>(SQL)).rows
  if (settings === undefined) return
  const { fsync, fullPageWrites, synchronousCommit, standbys, autovacuum, readOnly, isStandby } = settings
  if (isStandby || readOnly === 'on')
    yield problem(
      'database writable',
      isStandby ? 'this is a standby' : 'transactions are read-only',
      'DATABASE_URL must name the primary',
    )
  const loses =
    'A power failure can lose committed events or the whole database: alter system set %s = on, then reload'
  for (const [name, value] of Object.entries({ fsync, full_page_writes: fullPageWrites }))
    yield value === 'on'
      ? ok(`database ${name}`, 'on')
      : problem(`database ${name}`, value, loses.replace('%s', name))

  yield synchronousCommit === 'off'
    ? ok('database synchronous_commit', 'off; the ingester turns it on for its own connections')
    : ok('database synchronous_commit', synchronousCommit)
  yield ok(
    'database standby',
    standbys === ''
      ? 'no synchronous standby: committed means on the disk of this server only; keep backups'
      : `synchronous: ${standbys}`,
  )
  yield autovacuum === 'on'
    ? ok('database autovacuum', 'on')
    : warning(
        'database autovacuum',
        'off',
        'Turn it on: without it, tables grow and PostgreSQL eventually stops writing',
      )
}
