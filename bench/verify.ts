import { queryRow } from './database.ts'
import type { Scenario, SubjectName } from './scenarios.ts'

export interface Sent {
  readonly events: number
  readonly messages: number
}

interface Check {
  readonly what: string
  readonly sql: string
  readonly expected: (sent: Sent, scenario: Scenario) => number
  /** Of whom it is asked. */
  readonly subjects: readonly SubjectName[]
}

const ALL: readonly SubjectName[] = ['ingester', 'one-by-one']
const PRODUCT: readonly SubjectName[] = ['ingester']

/** What the database has to hold when every event was acked as stored. */
const CHECKS: readonly Check[] = [
  {
    what: 'rows in events',
    sql: 'select count(*) from events',
    expected: ({ events }) => events,
    subjects: ALL,
  },
  {
    what: 'rows in events with all that was sent',
    sql: `select count(*) from events where value_num between 18 and 28
      and unit = '°C' and event_type = 'temp' and schema = 1 and ts = ts_device and ts_device_raw is null
      and meta->>'fw' = '1.4.2'
      and event_id like device_id || '-%'`,
    expected: ({ events }) => events,
    subjects: ALL,
  },
  {
    what: 'devices in events',
    sql: 'select count(distinct device_id) from events',
    expected: (_, { devices }) => devices,
    subjects: ALL,
  },
  {
    what: 'dead letters',
    sql: 'select count(*) from dead_letters',
    expected: () => 0,
    subjects: ALL,
  },
  {
    what: 'messages in ingest_stats',
    sql: 'select coalesce(sum(messages), 0) as count from ingest_stats',
    expected: ({ messages }) => messages,
    subjects: PRODUCT,
  },
  {
    what: 'received events in ingest_stats',
    sql: 'select coalesce(sum(received), 0) as count from ingest_stats',
    expected: ({ events }) => events,
    subjects: PRODUCT,
  },
  {
    what: 'stored events in ingest_stats',
    sql: 'select coalesce(sum(stored), 0) as count from ingest_stats',
    expected: ({ events }) => events,
    subjects: PRODUCT,
  },
  {
    what: 'rows in devices',
    sql: 'select count(*) from devices',
    expected: (_, { devices }) => devices,
    subjects: PRODUCT,
  },
]

/** What the database lacks, or has too much of, in words; empty where all is as it was sent. */
export async function verifyDatabase(
  url: string,
  scenario: Scenario,
  sent: Sent,
): Promise<readonly string[]> {
  const faults: string[] = []
  for (const { what, sql, expected, subjects } of CHECKS) {
    if (!subjects.includes(scenario.subject)) continue
    const found = Number((await queryRow(url, sql)).count)
    const due = expected(sent, scenario)
    if (found !== due) faults.push(`${what}: ${found.toLocaleString('en')} of ${due.toLocaleString('en')}`)
  }
  return faults
}
