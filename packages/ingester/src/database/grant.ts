import { readFile } from 'node:fs/promises'
import type pg from 'pg'

/** Beside the migrations, and no migration: it changes with them and is applied as a whole. */
const GRANTS = new URL('../../migrations/grants.sql', import.meta.url)

/**
 * Gives the roles `qs_ingester` and `grafana`, where they exist, what grants.sql says, and takes what it does not
 * say: in one transaction, so that nobody is without rights in between.
 *
 * @param owner a session of whoever owns the tables, within the lock of the migrations
 */
export async function grant(owner: pg.Client): Promise<void> {
  await owner.query(await readFile(GRANTS, 'utf8'))
}
