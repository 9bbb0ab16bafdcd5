import type { Audit, AuditAction } from '@qs-telemetry/protocol/api'
import { momentText } from '../../database/moment-text.ts'
import type { Ask } from '../../database/query-pool.ts'
import { withinBytes } from './within-bytes.ts'

export interface AuditEntry {
  readonly actor: string
  readonly address: string
  readonly action: AuditAction
  readonly detail: Readonly<Record<string, unknown>>
}

/** A detail may contain thousands of ids. */
const MAX_DETAIL_CHARACTERS = 4_000

const ADD = 'insert into audit_log (actor, address, action, detail) values ($1, $2, $3, $4)'

export async function addAudit(ask: Ask, { actor, address, action, detail }: AuditEntry): Promise<void> {
  const text = JSON.stringify(detail)
  const kept =
    text.length <= MAX_DETAIL_CHARACTERS
      ? text
      : JSON.stringify({
          begins: text.slice(0, MAX_DETAIL_CHARACTERS).toWellFormed(),
          characters: text.length,
        })
  await ask.query(ADD, [actor, address, action, kept])
}

const LIST = withinBytes(
  `
select ${momentText('at')} as at, actor, address, action, detail, audit_id, 200 + octet_length(detail::text) as bytes
from audit_log order by audit_id desc limit $1`,
  'audit_id desc',
)

export async function listAudit(ask: Ask, limit: number): Promise<Audit> {
  return { entries: [...(await ask.query<Audit['entries'][number]>(LIST, [limit]))] }
}
