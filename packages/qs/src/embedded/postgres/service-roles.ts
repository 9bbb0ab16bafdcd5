import type pg from 'pg'
import { openClient } from '../../database/open-client.ts'
import { type EmbeddedRole, readPassword } from '../../endpoints/embedded-database-url.ts'
import { keepPassword, newPassword } from './postgres-password.ts'

/** Runs a step, and again if it fails because PostgreSQL is slow or away. */
export type Patiently = (step: () => Promise<void>) => Promise<void>

type ServiceRole = Exclude<EmbeddedRole, 'qs'>

/** Same as in deploy/postgres/roles.sh, except that the console leaves most of the 60 connections to the ingester. */
const LIMITS: Readonly<
  Record<ServiceRole, { readonly connections: number; readonly statementTimeout: string }>
> = {
  qs_ingester: { connections: -1, statementTimeout: '5min' },
  qs_console: { connections: 20, statementTimeout: '10min' },
}

const ROLES = Object.keys(LIMITS) as ServiceRole[]

/** Revokes rights that PostgreSQL grants to PUBLIC. Roles created by users can still log in. */
const REVOKE_FROM_PUBLIC = `
  revoke create on schema public from public, qs_ingester, qs_console;
  grant usage on schema public to qs_ingester, qs_console;
  revoke temporary on database qs, postgres, template1 from public;
  revoke execute on function lo_creat(int), lo_create(oid), lo_from_bytea(oid, bytea) from public`

/** An advisory lock marks the name of a running ingester; a read-only role must not take it. */
const ADVISORY_LOCKS = `
  do $$
  declare
    lock regprocedure;
  begin
    for lock in
      select oid from pg_proc
      where pronamespace = 'pg_catalog'::regnamespace
      and proname ~ '^pg_(try_)?advisory_(xact_)?lock(_shared)?$'
    loop
      execute format('revoke execute on function %s from public', lock);
      execute format('grant execute on function %s to qs_ingester, qs_console', lock);
    end loop;
  end $$`

/** Names and sizes of files only, for `qs storage` and the page Storage. */
const WAL_SIZE = 'grant execute on function pg_ls_waldir() to qs_ingester, qs_console'

/**
 * Creates or repairs the roles of the ingester and the console of `qs up`, which are not superusers. The password files
 * are authoritative: a missing one is written before the role gets its password. Migrations grant rights to tables.
 *
 * @param ownerUrl the embedded database as its superuser
 */
export async function setUpServiceRoles(
  ownerUrl: string,
  dataDir: string,
  patiently: Patiently,
): Promise<void> {
  const passwords = ROLES.map((role) => [role, passwordOf(dataDir, role)] as const)
  await patiently(() => setUp(ownerUrl, passwords))
}

async function setUp(
  ownerUrl: string,
  passwords: readonly (readonly [ServiceRole, string])[],
): Promise<void> {
  const owner = await openClient(ownerUrl, { name: 'qs-roles', connectTimeoutMs: 10_000 })
  try {
    // The statements contain passwords, and postgres.log belongs to the account of the server.
    await owner.query(`set log_statement = 'none'; set log_min_error_statement = 'panic';
      set log_min_duration_statement = -1`)
    await owner.query('begin')
    for (const [role, password] of passwords) await setUpRole(owner, role, password)
    await owner.query(REVOKE_FROM_PUBLIC)
    await owner.query(ADVISORY_LOCKS)
    await owner.query(WAL_SIZE)
    await owner.query('commit')
  } finally {
    await owner.end()
  }
}

async function setUpRole(owner: pg.Client, role: ServiceRole, password: string): Promise<void> {
  const { connections, statementTimeout } = LIMITS[role]
  const { rows } = await owner.query('select from pg_roles where rolname = $1', [role])
  if (rows.length === 0) await owner.query(`create role ${role}`)
  await owner.query(`
    alter role ${role} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls
      connection limit ${connections} password ${owner.escapeLiteral(password)};
    alter role ${role} set statement_timeout = '${statementTimeout}';
    alter role ${role} set idle_in_transaction_session_timeout = '60s'`)
}

function passwordOf(dataDir: string, role: ServiceRole): string {
  const kept = readPassword(dataDir, role)
  if (kept !== null) return kept
  const password = newPassword()
  keepPassword(dataDir, password, role)
  return password
}
