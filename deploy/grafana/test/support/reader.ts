import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { Client, type FieldDef } from 'pg'

export interface Answer {
  readonly columns: readonly FieldDef[]
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

/**
 * Queries like Grafana: as a role that may only select, with a statement timeout. The role has a unique name, since
 * roles belong to the whole cluster that the test files share.
 */
export async function connectReader(t: TestContext, url: string): Promise<(sql: string) => Promise<Answer>> {
  const owner = new Client({ connectionString: url })
  await owner.connect()
  const role = `grafana_${randomUUID().replaceAll('-', '')}`
  await owner.query(`create role ${role} login`)
  await owner.query(`alter role ${role} set statement_timeout = '10s'`)
  await owner.query(`alter role ${role} set default_transaction_read_only = on`)
  await owner.query(`grant usage on schema public to ${role}`)
  await owner.query(`grant select on all tables in schema public to ${role}`)

  const readerUrl = new URL(url)
  readerUrl.username = role
  const reader = new Client({ connectionString: readerUrl.href })
  await reader.connect()
  t.after(async () => {
    await reader.end()
    await owner.query(`drop owned by ${role}`)
    await owner.query(`drop role ${role}`)
    await owner.end()
  })
  return async (sql) => {
    const { fields, rows } = await reader.query<Readonly<Record<string, unknown>>>(sql)
    return { columns: fields, rows }
  }
}
