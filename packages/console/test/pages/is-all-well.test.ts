import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAllWell } from '../../src/pages/is-all-well.ts'

const GOOD = {
  alarms: [],
  broker: { connected: true, paused: false, waiting: null },
  devices: {
    ...{ total: 4, online: 4, quiet: 0, silentTotal: 0, silent: [], silentSeriesTotal: 0, silentSeries: [] },
    ...{ freshTotal: 0, fresh: [] },
  },
}

test('the overview shows OK only if nothing is silent and events can arrive', () => {
  const { broker, devices } = GOOD
  assert.ok(isAllWell(GOOD))
  assert.ok(!isAllWell({ ...GOOD, broker: { ...broker, connected: false } }))
  assert.ok(!isAllWell({ ...GOOD, devices: { ...devices, silentSeriesTotal: 2 } }))
  assert.ok(!isAllWell({ ...GOOD, devices: { ...devices, silentTotal: 1 } }))
  assert.ok(!isAllWell({ ...GOOD, devices: { ...devices, quiet: 1 } }))
  assert.ok(!isAllWell({ ...GOOD, alarms: [{ name: 'Disk', text: 'is full' }] }))
})
