import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { test } from 'node:test'
import { Client } from 'pg'
import { ALL } from '../source/sql.ts'
import { type Choice, expand } from '../test/support/expand.ts'
import { filledDatabase } from '../test/support/filled-database.ts'
import { type Panel, readDashboards } from '../test/support/queries.ts'
import { connectReader } from '../test/support/reader.ts'
import { seriesFields, tableFields } from './answer-fields.ts'
import { type AnsweredPanel, type DrawnPanel, openLibrary } from './open-library.ts'

/** Pictures stay here until the next run: look at them after a change. */
const PICTURES = 'node_modules/.pictures'
const DAY_MS = 86_400_000
const range = { from: new Date(Date.now() - DAY_MS), to: new Date() }

/** What the writer of `filledDatabase` leaves out: counts by the minute, a usual interval, and an outage of five hours. */
const REST = `
  delete from ingest_stats;
  insert into ingest_stats (minute, writer, messages, received, stored, duplicate, rejected)
  select date_trunc('minute', ts_server), 'test/1', count(*), count(*) + 1, count(*), 1, 0 from events group by 1;
  insert into ingest_stats (minute, writer, messages, received, stored, duplicate, rejected)
  select minute, 'test/1', 900, 1000 + day, 990 + day, 6, 4
  from generate_series(1, 29) as day, lateral (select date_trunc('minute', now() - (day + 1) * interval '1 day') as minute) as times;
  update series set silent_after = 3 * 240 where event_type in ('temp', 'humidity');
  delete from events where device_id = 'sim-0001' and ts between now() - interval '15 hours' and now() - interval '10 hours';
  analyze`

test('whole panels, drawn by the components of Grafana', async (t) => {
  mkdirSync(PICTURES, { recursive: true })
  const url = await filledDatabase(t)
  const owner = new Client({ connectionString: url })
  await owner.connect()
  t.after(() => owner.end())
  await owner.query(REST)
  const ask = await connectReader(t, url)
  const library = await openLibrary(t)
  const faults: string[] = []
  library.page.on('pageerror', ({ message }) => faults.push(message))

  const answered = async (panel: Panel, variables: Choice['variables']): Promise<AnsweredPanel> => {
    const days = Number.parseInt(panel.timeFrom ?? '1', 10)
    const from = new Date(range.to.getTime() - days * DAY_MS)
    const intervalMs = (days * DAY_MS) / (panel.maxDataPoints ?? 720)
    const answers: AnsweredPanel['answers'][number][] = []
    for (const { refId, format, rawSql } of panel.targets ?? []) {
      const answer = await ask(expand(rawSql, { ...range, from, intervalMs, variables }))
      answers.push({ refId, fields: format === 'time_series' ? seriesFields(answer) : tableFields(answer) })
    }
    return { panel, answers }
  }

  for (const { uid, title, panels } of readDashboards()) {
    await t.test(title, async () => {
      const variables = { device: uid === 'qs-device' ? 'sim-0001' : ALL, type: 'temp', interval: '5m' }
      const ready: AnsweredPanel[] = []
      for (const panel of panels) ready.push(await answered(panel, variables))
      const drawn = await library.draw(ready, range)
      await library.page.screenshot({ path: `${PICTURES}/${uid}.png` })
      assert.deepEqual(faults, [])
      for (const panel of drawn) checkDrawn(panel)
      checkUnits(uid, drawn)
      const chart = drawn.find(({ title: panel }) => panel === '${type}')
      // Only this device was offline, for five hours of the day.
      if (uid === 'qs-device') assert.ok((chart?.widestGap ?? 0) > 0.17, `a gap of ${chart?.widestGap}`)
      if (uid === 'qs-compare') assert.ok((chart?.widestGap ?? 1) < 0.05, `a gap of ${chart?.widestGap}`)
    })
  }
})

/** What must hold for every panel. */
function checkDrawn({ title, kind, texts, cutOff, largestPixels, marks }: DrawnPanel): void {
  assert.ok(texts.length > 0, `${title} is empty`)
  for (const text of texts) {
    assert.doesNotMatch(text, / {2}|µs|\b1 (hours|days|weeks|mins)\b|NaN|undefined|null$/, title)
    if (kind !== 'table' || texts.length > 1) assert.doesNotMatch(text, /^No data/, title)
  }
  assert.deepEqual(cutOff, [], `${title}: numbers or times are cut off`)
  if (kind === 'stat') assert.ok(largestPixels >= 20, `${title}: a value of ${largestPixels} pixels`)
  if (kind === 'timeseries') assert.ok(marks > 200, `${title}: ${marks} pixels of lines or bars`)
}

/** Axis labels of the charts that have a unit. */
const AXES: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  'qs-device': { '${type}': /^-?\d+(\.\d+)? °C$/, 'Events by type': /^\d+$/ },
  'qs-compare': { '${type}': /^-?\d+(\.\d+)? °C$/ },
  'qs-clock-drift': { 'Clock offset over time': /^-?\d+ s$/ },
  'qs-data-quality': { 'Dead letters by code': /^\d+$/, 'Duplicate and rejected share': /^\d+(\.\d)?%$/ },
  'qs-pipeline-health': { 'Delay from device to server': /^-?\d+(\.\d+)? s$/ },
}

const TIME = /^\d\d:\d\d$|^\d\d\/\d\d$/

function checkUnits(uid: string, drawn: readonly DrawnPanel[]): void {
  for (const [title, form] of Object.entries(AXES[uid] ?? {})) {
    const axis = drawn
      .filter((panel) => panel.title === title && panel.kind === 'timeseries')
      .flatMap(({ axes }) => axes.filter((text) => !TIME.test(text)))
    assert.ok(axis.length >= 2, `${title}: an axis of ${axis.join()}`)
    for (const text of axis) assert.match(text, form, title)
    assert.equal(new Set(axis).size, axis.length, `${title}: a step occurs twice: ${axis.join()}`)
  }
}
