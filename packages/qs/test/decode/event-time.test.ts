import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accepted, eventJson, SERVER_TIME } from '@qs-telemetry/testing/decoding.ts'

const times = (tsDevice: string, timeZone?: string) => {
  const {
    ts,
    tsDevice: device,
    tsDeviceLocal,
    tsDeviceRaw,
    warning,
  } = accepted(eventJson({ ts_device: tsDevice }), timeZone === undefined ? {} : { timeZone })
  return { ts, tsDevice: device, tsDeviceLocal, tsDeviceRaw, warning: warning?.code ?? null }
}

test('a plausible device time is the event time', () => {
  assert.deepEqual(times('"2026-11-23T17:59:58.5Z"'), {
    ts: '2026-11-23T17:59:58.500000Z',
    tsDevice: '2026-11-23T17:59:58.500000Z',
    tsDeviceLocal: null,
    tsDeviceRaw: null,
    warning: null,
  })
})

test('a local time is read in the zone of the device and keeps its wall time', () => {
  assert.deepEqual(times('"2026-11-23T10:00:00"'), {
    ts: '2026-11-23T18:00:00.000000Z',
    tsDevice: '2026-11-23T18:00:00.000000Z',
    tsDeviceLocal: '2026-11-23T10:00:00.000000',
    tsDeviceRaw: null,
    warning: null,
  })
  assert.equal(times('"2026-11-23T19:00:00"', 'Europe/Berlin').ts, '2026-11-23T18:00:00.000000Z')
})

test('without a device time the server time is the event time', () => {
  assert.deepEqual(times('null'), {
    ts: SERVER_TIME,
    tsDevice: null,
    tsDeviceLocal: null,
    tsDeviceRaw: null,
    warning: null,
  })
})

test('an unreadable device time does not cost the event', () => {
  assert.deepEqual(times('"yesterday"'), {
    ts: SERVER_TIME,
    tsDevice: null,
    tsDeviceLocal: null,
    tsDeviceRaw: 'yesterday',
    warning: 'TS_DEVICE_UNREADABLE',
  })
  assert.equal(times('{"year":2026}').tsDeviceRaw, '{"year":2026}')
  assert.equal(times('true').tsDeviceRaw, 'true')
  assert.equal(times('""').tsDeviceRaw, '')
})

test('an unreadable number is kept as it was sent', () => {
  assert.equal(times('1e400').tsDeviceRaw, '1e400')
  assert.equal(times('12345678901234567890').tsDeviceRaw, '12345678901234567890')
})

test('the time of a board that boots in 1970 is kept but not used as event time', () => {
  assert.deepEqual(times('12'), {
    ts: SERVER_TIME,
    tsDevice: '1970-01-01T00:00:12.000000Z',
    tsDeviceLocal: null,
    tsDeviceRaw: null,
    warning: 'TS_DEVICE_IMPLAUSIBLE',
  })
})

test('90 days in the past and one hour in the future are plausible, a millisecond more is not', () => {
  assert.equal(times('"2026-08-25T18:00:00.123456Z"').ts, '2026-08-25T18:00:00.123456Z')
  assert.equal(times('"2026-08-25T18:00:00.122456Z"').ts, SERVER_TIME)
  assert.equal(times('"2026-11-23T19:00:00.123456Z"').ts, '2026-11-23T19:00:00.123456Z')
  assert.equal(times('"2026-11-23T19:00:00.124456Z"').ts, SERVER_TIME)
})
