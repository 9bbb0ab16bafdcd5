import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SCENARIOS } from '../scenarios.ts'
import type { Report } from './report.ts'
import { summarise } from './summary.ts'
import { printMarkdown, printReport } from './text.ts'

const REPORT: Report = {
  date: '2026-01-02T03:04:05.000Z',
  command: 'npm run bench',
  isQuick: false,
  rounds: 1,
  machine: {
    cpu: 'a processor',
    cores: 2,
    memoryGb: 8,
    system: 'Linux',
    fdatasyncMs: 0.1,
    isDiskInMemory: false,
  },
  versions: { Node: '20' },
  durability: { fsync: 'on' },
  settings: {},
  subjects: [],
  missing: ['Some peer is unavailable here: no network'],
  scenarios: SCENARIOS.filter(({ name }) => name === 'single-events'),
  runs: [
    {
      scenario: 'single-events',
      round: 1,
      faults: [],
      measures: {
        seconds: 8,
        eventsPerSecond: 24_999,
        p50Ms: 1,
        p99Ms: 2,
        p999Ms: 3,
        readySeconds: 0.5,
        peakMemoryMb: 149,
        othersCores: 0,
        cpuSecondsPerMillion: { subject: 14.9, mosquitto: 1, postgres: 1, publisher: 1 },
      },
    },
  ],
}

test('a report says which goals are met and which are missed', () => {
  const said = printReport(REPORT, summarise(REPORT))
  assert.match(said, /single-events +events per second +at least 25,000 +24,999 +MISSED/)
  assert.match(said, /single-events +MB peak resident memory +under 150 +149 +met/)
  assert.match(said, /Not measured: Some peer/)
  assert.match(said, /Verified/)
})

test('a report of a quick run judges nothing', () => {
  const quick = { ...REPORT, isQuick: true }
  assert.doesNotMatch(printReport(quick, summarise(quick)), /MISSED|met$/m)
})

test('a failed scenario is shown with its faults, and nothing counts as verified', () => {
  const failed = { ...REPORT, runs: REPORT.runs.map((run) => ({ ...run, faults: ['a row is missing'] })) }
  const said = printReport(failed, summarise(failed))
  assert.match(said, /FAILED single-events\n {2}round 1: a row is missing/)
  assert.doesNotMatch(said, /Verified/)
})

test('a machine busy with other processes is reported', () => {
  const [run] = REPORT.runs
  const measures = run?.measures && { ...run.measures, othersCores: 0.5 }
  const busy = { ...REPORT, runs: [{ ...run, measures }] } as Report
  assert.match(printReport(busy, summarise(busy)), /NOT QUIET: .*single-events \(0\.50\)/)
})

test('Markdown has a table with as many cells in each row as in its head', () => {
  const rows = printMarkdown(REPORT, summarise(REPORT))
    .split('\n')
    .filter((line) => line.startsWith('|'))
  const cells = (line: string) => line.split('|').length
  assert.ok(rows.length > 6)
  for (const table of rows.filter((line) => line.includes('---')).map((line) => rows.indexOf(line))) {
    assert.equal(cells(rows[table - 1] as string), cells(rows[table + 1] as string))
  }
})
