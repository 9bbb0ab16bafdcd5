import { readFile } from 'node:fs/promises'
import type pg from 'pg'
import { givingWay } from './giving-way.ts'

/** Beside the migrations, and no migration: it changes with them and is applied as a whole. */
const NAME = 'grants.sql'
const GRANTS = new URL(`../../migrations/${NAME}`, import.meta.url)

/**
 * Gives the roles of the service, where they exist, the rights in grants.sql and takes all others away: in one transaction, so that
 * no role is without rights in between.
 *
 * @param owner a session of whoever owns the tables, within the lock of the migrations
 */
export async function grant(owner: pg.Client, onBusy?: (name: string) => void): Promise<void> {
  const sql = await readFile(GRANTS, 'utf8')
  await givingWay(
    owner,
    () => owner.query(sql),
    () => onBusy?.(NAME),
  )
}
