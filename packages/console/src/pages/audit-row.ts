import type { Audit, AuditAction } from '@qs-telemetry/protocol/api'

type Entry = Audit['entries'][number]

/** One row of the audit log in words. */
export interface AuditRow {
  readonly what: string
  /** The device that was changed, if any. */
  readonly device: string | null
  readonly letters: readonly string[]
  /** All other fields, as name and text. */
  readonly details: readonly (readonly [name: string, text: string])[]
}

const ACTIONS: Readonly<Record<AuditAction, string>> = {
  login: 'Logged in',
  'login refused': 'Login refused',
  'device described': 'Changed a device',
  'device added': 'Created an account',
  'device password changed': 'Changed a password',
  'device removed': 'Deleted a device',
  'reading pinned': 'Pinned a reading',
  'reading unpinned': 'Unpinned a reading',
  'letter repaired': 'Repaired a dead letter',
  'letters patched': 'Repaired several dead letters',
  'letters replayed': 'Replayed dead letters',
  'letters purged': 'Deleted dead letters',
  'alert rule changed': 'Changed a rule of alerts',
  'alert rule removed': 'Removed a rule of alerts',
  'alert rule muted': 'Muted a rule of alerts',
  'alert channel tested': 'Tested a channel of alerts',
  'setting changed': 'Changed a setting',
  'simulation started': 'Started simulated devices',
  'simulation stopped': 'Stopped simulated devices',
  'simulated data removed': 'Deleted simulated data',
}

const NAMES: Readonly<Record<string, string>> = {
  name: 'Account',
  label: 'Label',
  room: 'Room',
  timeZone: 'Time zone',
  silentAfter: 'Silent after',
  notes: 'Notes',
  setting: 'Setting',
  value: 'Value',
  isArchived: 'Archived',
  account: 'Account at the broker',
  eventType: 'Type',
  rule: 'Rule',
  channel: 'Channel',
  kind: 'Kind',
  types: 'Types',
  rooms: 'Rooms',
  above: 'Above',
  below: 'Below',
  letters: 'Dead letters',
  merge: 'Fields to change',
  left: 'Not tried yet',
  ids: 'Results',
  choice: 'Selected by',
  events: 'Events',
  codes: 'Codes',
  devices: 'Devices',
  since: 'Since',
  until: 'Until',
  state: 'State',
  begins: 'Begins with',
  characters: 'Characters',
}

/** Most dead letters that one row lists. */
const MAX_LETTERS = 5

export function auditRow({ action, detail }: Pick<Entry, 'action' | 'detail'>): AuditRow {
  const fields = isRecord(detail) ? detail : { detail }
  const { id, deviceId, ids, choice, ...rest } = fields
  const results = Array.isArray(ids) ? ids.filter(isRecord) : []
  const letters = [id, ...results.map((each) => each.id), ...(isRecord(choice) ? listOf(choice.ids) : [])]
  const named = letters.filter((each) => each !== undefined && each !== null).map(String)
  const more = named.length - MAX_LETTERS
  return {
    what: Object.hasOwn(ACTIONS, action) ? ACTIONS[action as AuditAction] : action,
    device: typeof deviceId === 'string' ? deviceId : null,
    letters: named.slice(0, MAX_LETTERS),
    details: [
      ...(more > 0 ? [['More', `${more} dead ${more === 1 ? 'letter' : 'letters'}`] as const] : []),
      ...Object.entries(rest).map(detailOf),
      ...(results.length > 0
        ? [['Results', countsOf(results.map(({ result }) => String(result)))] as const]
        : []),
      ...(isRecord(choice) ? choiceOf(choice) : []),
    ],
  }
}

function detailOf([name, value]: readonly [string, unknown]): readonly [string, string] {
  return [NAMES[name] ?? name, textOf(value)]
}

function textOf(value: unknown): string {
  if (value === null) return 'removed'
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Without `ids`, which are in `letters` already. */
function choiceOf({ ids: _, all, ...filter }: Readonly<Record<string, unknown>>) {
  const details = Object.entries(filter).map(detailOf)
  return all === true && details.length === 0 ? [['Selected by', 'all'] as const] : details
}

/** 3 stored, 1 rejected */
function countsOf(results: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const result of results) counts.set(result, (counts.get(result) ?? 0) + 1)
  return [...counts].map(([result, count]) => `${count} ${result}`).join(', ')
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
