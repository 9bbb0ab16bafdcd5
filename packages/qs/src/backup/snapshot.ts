import pg from 'pg'
import { streamOf } from '../database/connect.ts'
import { openClient } from '../database/open-client.ts'
import { QsError } from '../errors/qs-error.ts'
import { readSchemaVersion } from './read-server.ts'
import { qualified, TEXT_SETTINGS } from './table-summary.ts'

/** Two sessions of the owner that see the same instant: one copies rows while the other counts them. */
export interface Snapshot {
  readonly copier: pg.Client
  readonly counter: pg.Client
  close(): Promise<void>
}

/** `signal` cuts the connections, which ends every statement. */
export async function openSnapshot(databaseUrl: string, signal: AbortSignal): Promise<Snapshot> {
  const clients: pg.Client[] = []
  const cut = () => {
    for (const client of clients) streamOf(client).destroy()
  }
  signal.addEventListener('abort', cut)
  const close = async () => {
    signal.removeEventListener('abort', cut)
    await Promise.all(clients.map((client) => client.end()))
  }
  const open = async (name: string) => {
    const client = await openClient(databaseUrl, { name, connectTimeoutMs: 10_000 })
    clients.push(client)
    signal.throwIfAborted()
    await client.query(
      `set idle_in_transaction_session_timeout = 0; set statement_timeout = 0; set client_encoding = 'UTF8'; ${TEXT_SETTINGS}`,
    )
    return client
  }
  try {
    return { copier: await open('qs-backup (copy)'), counter: await open('qs-backup'), close }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * Begins the snapshot. Migrations wait from now on, ingest does not: the tables are locked before the snapshot is taken, so that
 * none of them is newer than it.
 */
export async function beginSnapshot(
  { copier, counter }: Snapshot,
  schema: string,
  { tables, version }: { readonly tables: readonly string[]; readonly version: number },
): Promise<void> {
  const begin = 'begin isolation level repeatable read read only'
  const list = tables.map((table) => qualified(schema, table)).join(', ')
  await copier.query(`${begin}; set local lock_timeout = '30s'; lock table ${list} in access share mode`)
  if ((await readSchemaVersion(copier)) !== version)
    throw new QsError('BACKUP_FAILED', 'A migration ran at the same time')
  const { rows } = await copier.query<{ snapshot: string }>('select pg_export_snapshot() as snapshot')
  await counter.query(`${begin}; set transaction snapshot ${pg.escapeLiteral(String(rows[0]?.snapshot))}`)
}
