import { readFile } from 'node:fs/promises'
import type pg from 'pg'
import { givingWay } from './giving-way.ts'

/** In the folder of the migrations, but not one: it changes with them and is always applied as a whole. */
const NAME = 'grants.sql'
const GRANTS = new URL(`../../migrations/${NAME}`, import.meta.url)

/**
 * Grants the roles of the service, as far as they exist, the rights in grants.sql and revokes all others, in one
 * transaction, so that no role is without rights in between.
 *
 * @param owner a session of the owner of the tables, holding the migration lock
 */
export async function grant(owner: pg.Client, onBusy?: (name: string) => void): Promise<void> {
  const sql = await readFile(GRANTS, 'utf8')
  await givingWay(
    owner,
    () => owner.query(sql),
    () => onBusy?.(NAME),
  )
}
