import Type, { type Static } from 'typebox'
import { Moment } from './moment.ts'

/** Actions that the routes write to the audit log; entries of another version may have others. */
export const AUDIT_ACTIONS = [
  'login',
  'login refused',
  'device described',
  'device added',
  'device password changed',
  'device removed',
  'reading pinned',
  'reading unpinned',
  'letter repaired',
  'letters patched',
  'letters replayed',
  'letters purged',
  'alert rule changed',
  'alert rule removed',
  'alert rule muted',
  'alert channel tested',
  'setting changed',
  'simulation started',
  'simulation stopped',
  'simulated data removed',
] as const

export type AuditAction = (typeof AUDIT_ACTIONS)[number]

export const AuditSchema = Type.Object({
  entries: Type.Array(
    Type.Object({
      at: Moment,
      actor: Type.String(),
      address: Type.String(),
      action: Type.String(),
      detail: Type.Unknown(),
    }),
    { description: 'Newest first' },
  ),
})

export type Audit = Static<typeof AuditSchema>
