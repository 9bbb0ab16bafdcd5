import type { Scenario, SubjectName } from '../scenario.ts'
import { queryRow } from '../stack/query-row.ts'
import { SUBJECTS } from '../subjects/subjects.ts'

export interface Sent {
  readonly messages: number
  readonly events: number
  /** Events without repeats. */
  readonly different: number
  /** Start of the run on PostgreSQL's clock: earlier rows do not count. */
  readonly since: string
}

interface Check {
  readonly what: string
  readonly sql: (sent: Sent, scenario: Scenario) => string
  readonly expected: (sent: Sent, scenario: Scenario) => number
  /** Subjects that the check applies to. */
  readonly subjects: readonly SubjectName[]
}

const ALL: readonly SubjectName[] = ['ingester', 'up', 'one-by-one', 'telegraf', 'node-red']
const PRODUCT: readonly SubjectName[] = ['ingester', 'up']

const rows = (what: string, since: string) =>
  `select count(${what}) from events where ts_server >= '${since}'`
const stats = (column: string) => `select coalesce(sum(${column}), 0) as count from ingest_stats`

/** What the database must hold when every event is acked. */
const CHECKS: readonly Check[] = [
  {
    what: 'rows in events',
    sql: ({ since }) => rows('*', since),
    expected: ({ different }) => different,
    subjects: ALL,
  },
  {
    what: 'rows in events with all that was sent',
    sql: ({ since }, { subject, ids }) => {
      const ordered = ids === 'ordered' ? "and event_id like device_id || '-%'" : ''
      return `${rows('*', since)} and ${SUBJECTS[subject].rowAsSent} ${ordered}`
    },
    expected: ({ different }) => different,
    subjects: ALL,
  },
  {
    what: 'devices in events',
    sql: ({ since }) => rows('distinct device_id', since),
    expected: (_, { devices }) => devices,
    subjects: ALL,
  },
  {
    what: 'dead letters',
    sql: () => 'select count(*) from dead_letters',
    expected: () => 0,
    subjects: ALL,
  },
  {
    what: 'messages in ingest_stats',
    sql: () => stats('messages'),
    expected: ({ messages }) => messages,
    subjects: PRODUCT,
  },
  {
    what: 'received events in ingest_stats',
    sql: () => stats('received'),
    expected: ({ events }) => events,
    subjects: PRODUCT,
  },
  {
    what: 'stored events in ingest_stats',
    sql: () => stats('stored'),
    expected: ({ different }) => different,
    subjects: PRODUCT,
  },
  {
    what: 'duplicates in ingest_stats',
    sql: () => stats('duplicate'),
    expected: ({ events, different }) => events - different,
    subjects: PRODUCT,
  },
  {
    what: 'rows in devices',
    sql: () => 'select count(*) from devices',
    expected: (_, { devices }) => devices,
    subjects: PRODUCT,
  },
]

/** Texts about missing or surplus rows; empty if the database holds exactly what was sent. */
export async function verifyDatabase(
  url: string,
  scenario: Scenario,
  sent: Sent,
): Promise<readonly string[]> {
  const faults: string[] = []
  for (const { what, sql, expected, subjects } of CHECKS) {
    if (!subjects.includes(scenario.subject)) continue
    const found = Number((await queryRow(url, sql(sent, scenario))).count)
    const due = expected(sent, scenario)
    if (found !== due) faults.push(`${what}: ${found.toLocaleString('en')} of ${due.toLocaleString('en')}`)
  }
  return faults
}
