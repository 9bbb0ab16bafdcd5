import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { readDeviceList } from '../../src/accounts/read-device-list.ts'

const config = configOf()
const NONE = { label: null, room: null, timeZone: null, notes: null }

test('a list without a header has its columns in order; quotes, separators of Excel and empty lines are read', () => {
  assert.deepEqual(readDeviceList(config, 'kitchen\n\n cellar ,Freezer\n'), [
    { ...NONE, deviceId: 'kitchen' },
    { ...NONE, deviceId: 'cellar', label: 'Freezer' },
  ])
  const excel = '\uFEFFdevice_id;notes;time_zone\r\nk1;"two\r\nlines; ""quoted""";Europe/Berlin\r\nk2;;\r\n'
  assert.deepEqual(readDeviceList(config, excel), [
    { ...NONE, deviceId: 'k1', notes: 'two\r\nlines; "quoted"', timeZone: 'Europe/Berlin' },
    { ...NONE, deviceId: 'k2' },
  ])
  assert.deepEqual(readDeviceList(config, 'Device_ID\tRoom\nd\tHall'), [
    { ...NONE, deviceId: 'd', room: 'Hall' },
  ])
})

test('every mistake of a list is named with its line, and nothing is read', () => {
  const list = 'device_id,colour,label,time_zone\na,red,"x\ny",Mars\na/b,,,\na,,,\nc,1,2,,5\nd,,"x"z,\n'
  assert.throws(
    () => readDeviceList(config, list),
    (error: Error) => {
      const lines = error.message.split('\n')
      assert.match(lines[1] ?? '', /line 1: there is no column "colour"/)
      assert.match(lines[2] ?? '', /line 2: "Mars" is not an IANA time zone/)
      assert.match(lines[3] ?? '', /line 4: "a\/b" cannot be a device id/)
      assert.match(lines[4] ?? '', /line 5: a is there twice/)
      assert.match(lines[5] ?? '', /line 6: 5 cells, and 4 columns/)
      assert.match(lines[6] ?? '', /Nothing was created/)
      return true
    },
  )
  assert.throws(() => readDeviceList(config, '\n'), /it names no device/)
  assert.throws(() => readDeviceList(config, 'd\n'.repeat(1_001)), /at most 1000/)
  assert.throws(() => readDeviceList(config, `d,${'x'.repeat(201)}`), /label has more than 200 characters/)
})
