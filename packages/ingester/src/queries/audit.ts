import type { Audit } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import { momentText } from './moment-text.ts'

export interface AuditEntry {
  readonly actor: string
  readonly address: string
  readonly action: string
  readonly detail: Readonly<Record<string, unknown>>
}

const ADD = 'insert into audit_log (actor, address, action, detail) values ($1, $2, $3, $4)'

export async function addAudit(ask: Ask, { actor, address, action, detail }: AuditEntry): Promise<void> {
  await ask.query(ADD, [actor, address, action, JSON.stringify(detail)])
}

const LIST = `
select ${momentText('at')} as at, actor, address, action, detail
from audit_log order by audit_id desc limit $1`

export async function listAudit(ask: Ask, limit: number): Promise<Audit> {
  return { entries: [...(await ask.query<Audit['entries'][number]>(LIST, [limit]))] }
}
