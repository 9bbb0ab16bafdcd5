import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DeviceTime, isTimeZone, readDeviceTime } from '../src/device-time.ts'
import { formatInstant, type Instant } from '../src/instant.ts'

const instant = (iso: string): Instant => ({ epochMs: Date.parse(iso), micros: 0 })

const read = (
  value: unknown,
  server = '2026-11-23T18:00:00Z',
  timeZone = 'America/Los_Angeles',
): DeviceTime => readDeviceTime(value, { timeZone, serverTime: instant(server) })

/** The instant that was read, as text, or else the kind of the result. */
const utc = (value: unknown, server?: string, timeZone?: string): string => {
  const time = read(value, server, timeZone)
  return time.kind === 'instant' || time.kind === 'local' ? formatInstant(time.at) : time.kind
}

const raw = (value: unknown): string | null => {
  const time = read(value)
  return time.kind === 'unreadable' ? time.raw : null
}

test('an absent time is absent', () => {
  assert.deepEqual(read(undefined), { kind: 'absent' })
  assert.deepEqual(read(null), { kind: 'absent' })
})

test('a time without offset is local: eight hours behind UTC in January, seven in July', () => {
  assert.deepEqual(read('2026-01-15T12:00:00'), {
    kind: 'local',
    at: { epochMs: Date.parse('2026-01-15T20:00:00Z'), micros: 0 },
    wall: '2026-01-15T12:00:00.000000',
  })
  assert.equal(utc('2026-07-15T12:00:00'), '2026-07-15T19:00:00.000000Z')
})

test('the zone of the device decides, also with half and quarter hours', () => {
  assert.equal(utc('2026-01-15T12:00:00', undefined, 'Asia/Kolkata'), '2026-01-15T06:30:00.000000Z')
  assert.equal(utc('2026-01-15T12:00:00', undefined, 'Asia/Kathmandu'), '2026-01-15T06:15:00.000000Z')
  assert.equal(utc('2026-01-15T12:00:00', undefined, 'UTC'), '2026-01-15T12:00:00.000000Z')
})

test('01:30 of the autumn night is the one of two instants that is nearest to the server time', () => {
  assert.equal(utc('2026-11-01T01:30:00', '2026-11-01T08:30:01Z'), '2026-11-01T08:30:00.000000Z')
  assert.equal(utc('2026-11-01T01:30:00', '2026-11-01T09:30:01Z'), '2026-11-01T09:30:00.000000Z')
  assert.equal(utc('2026-11-01T01:30:00', '2026-10-01T00:00:00Z'), '2026-11-01T08:30:00.000000Z')
  assert.equal(utc('2026-11-01T01:30:00', '2026-12-01T00:00:00Z'), '2026-11-01T09:30:00.000000Z')
  assert.equal(utc('2026-11-01T01:30:00', '2026-11-01T08:59:59Z'), '2026-11-01T08:30:00.000000Z')
  assert.equal(utc('2026-11-01T01:30:00', '2026-11-01T09:00:01Z'), '2026-11-01T09:30:00.000000Z')
})

test('both readings of an ambiguous time keep the wall time that was sent', () => {
  for (const server of ['2026-11-01T08:30:00Z', '2026-11-01T09:30:00Z']) {
    const time = read('2026-11-01T01:30:00.25', server)
    assert.equal(time.kind === 'local' && time.wall, '2026-11-01T01:30:00.250000')
  }
})

test('02:30 of the spring night does not exist and is shifted forward by the gap', () => {
  assert.deepEqual(read('2026-03-08T02:30:00'), {
    kind: 'local',
    at: { epochMs: Date.parse('2026-03-08T10:30:00Z'), micros: 0 },
    wall: '2026-03-08T02:30:00.000000',
  })
  assert.equal(utc('2026-03-08T01:59:59.999999'), '2026-03-08T09:59:59.999999Z')
  assert.equal(utc('2026-03-08T02:00:00'), '2026-03-08T10:00:00.000000Z')
  assert.equal(utc('2026-03-08T02:59:59.999999'), '2026-03-08T10:59:59.999999Z')
  assert.equal(utc('2026-03-08T03:00:00'), '2026-03-08T10:00:00.000000Z')
})

test('microseconds survive, in local time and with an offset', () => {
  assert.equal(utc('2026-01-15T12:00:00.123456'), '2026-01-15T20:00:00.123456Z')
  assert.equal(utc('2026-01-15T12:00:00.123456Z'), '2026-01-15T12:00:00.123456Z')
  assert.equal(utc('2026-01-15T12:00:00.000001+01:00'), '2026-01-15T11:00:00.000001Z')
})

test('a fraction has 1 to 18 digits behind a point or a comma', () => {
  assert.equal(utc('2026-01-15T12:00:00.5Z'), '2026-01-15T12:00:00.500000Z')
  assert.equal(utc('2026-01-15T12:00:00,5Z'), '2026-01-15T12:00:00.500000Z')
  assert.equal(utc('2026-01-15T12:00:00.123456000000000000Z'), '2026-01-15T12:00:00.123456Z')
  for (const bad of [
    '2026-01-15T12:00:00.Z',
    '2026-01-15T12:00:00;5Z',
    '2026-01-15T12:00:00.5.5Z',
    '2026-01-15T12:00.5Z',
  ]) {
    assert.equal(utc(bad), 'unreadable', bad)
  }
})

test('Z and offsets in every form are taken at their word', () => {
  const cases = {
    '2026-01-15T12:00:00Z': '2026-01-15T12:00:00.000000Z',
    '2026-01-15t12:00:00z': '2026-01-15T12:00:00.000000Z',
    '2026-01-15 12:00:00 Z': '2026-01-15T12:00:00.000000Z',
    '2026-01-15T12:00:00+01:00': '2026-01-15T11:00:00.000000Z',
    '2026-01-15T12:00:00+0100': '2026-01-15T11:00:00.000000Z',
    '2026-01-15T12:00:00+01': '2026-01-15T11:00:00.000000Z',
    '2026-01-15T12:00:00-08:00': '2026-01-15T20:00:00.000000Z',
    '2026-01-15T12:00:00-0330': '2026-01-15T15:30:00.000000Z',
    '2026-01-15T12:00:00+05:45': '2026-01-15T06:15:00.000000Z',
    '2026-01-15T12:00:00+00:00': '2026-01-15T12:00:00.000000Z',
    '2026-01-15T12:00:00-00:00': '2026-01-15T12:00:00.000000Z',
    '2026-01-15T23:30:00-14:00': '2026-01-16T13:30:00.000000Z',
    '2026-01-15T00:30:00+23:59': '2026-01-14T00:31:00.000000Z',
  }
  for (const [text, expected] of Object.entries(cases)) {
    assert.equal(utc(text), expected, text)
    assert.equal(read(text).kind, 'instant', text)
  }
})

test('an offset that no clock has is unreadable', () => {
  for (const offset of [
    '+24:00',
    '+01:60',
    '+1',
    '+1:00',
    '+',
    '+01:0',
    '+01:00:00',
    'ZZ',
    ' UTC',
    '[America/Los_Angeles]',
  ]) {
    assert.equal(utc(`2026-01-15T12:00:00${offset}`), 'unreadable', offset)
  }
})

test('the basic format, a space for the T, and times without seconds are ISO 8601 too', () => {
  assert.equal(utc('20260115T120000Z'), '2026-01-15T12:00:00.000000Z')
  assert.equal(utc('20260115T120000.123456+0100'), '2026-01-15T11:00:00.123456Z')
  assert.equal(utc('2026-01-15 12:00:00Z'), '2026-01-15T12:00:00.000000Z')
  assert.equal(utc('2026-01-15T12:34Z'), '2026-01-15T12:34:00.000000Z')
})

test('an hour alone is a time of ISO 8601 too', () => {
  assert.equal(utc('2026-01-15T12Z'), '2026-01-15T12:00:00.000000Z')
  assert.equal(utc('2026-01-15T12'), '2026-01-15T20:00:00.000000Z')
})

test('24:00 is midnight of the next day, and nothing later is a time', () => {
  assert.equal(utc('2026-01-31T24:00:00Z'), '2026-02-01T00:00:00.000000Z')
  assert.equal(utc('2026-12-31T24:00Z'), '2027-01-01T00:00:00.000000Z')
  for (const bad of ['2026-01-31T24:00:01Z', '2026-01-31T24:01:00Z', '2026-01-31T25:00:00Z']) {
    assert.equal(utc(bad), 'unreadable', bad)
  }
})

test('24:00 with a fraction of a second is later than midnight, so there is no such time', () => {
  assert.equal(utc('2026-01-31T24:00:00.5Z'), 'unreadable')
})

test('a leap second is the second after it', () => {
  assert.equal(utc('2016-12-31T23:59:60Z'), '2017-01-01T00:00:00.000000Z')
  assert.equal(utc('2016-12-31T23:59:60.5Z'), '2017-01-01T00:00:00.500000Z')
  assert.equal(utc('2016-12-31T23:59:61Z'), 'unreadable')
})

test('a day that does not exist is unreadable, never in the next month', () => {
  for (const day of [
    '2026-02-30',
    '2026-02-29',
    '2100-02-29',
    '2026-04-31',
    '2026-00-10',
    '2026-13-10',
    '2026-01-00',
    '2026-01-32',
  ]) {
    assert.equal(utc(`${day}T12:00:00Z`), 'unreadable', day)
    assert.equal(raw(`${day}T12:00:00`), `${day}T12:00:00`)
  }
  assert.equal(utc('2028-02-29T12:00:00Z'), '2028-02-29T12:00:00.000000Z')
  assert.equal(utc('2000-02-29T12:00:00Z'), '2000-02-29T12:00:00.000000Z')
})

test('the years are 0001 to 9999, by the instant and not by the text', () => {
  assert.equal(utc('0001-01-01T00:00:00Z'), '0001-01-01T00:00:00.000000Z')
  assert.equal(utc('0099-12-31T12:00:00Z'), '0099-12-31T12:00:00.000000Z')
  assert.equal(utc('9999-12-31T23:59:59.999999Z'), '9999-12-31T23:59:59.999999Z')
  for (const bad of [
    '0000-12-31T23:59:59Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '9999-12-31T24:00:00Z',
    '10000-01-01T00:00:00Z',
    '+002026-01-15T12:00:00Z',
    '26-01-15T12:00:00Z',
  ]) {
    assert.equal(utc(bad), 'unreadable', bad)
  }
})

test('a number is Unix time in seconds below 1e11, from there on in milliseconds', () => {
  assert.equal(utc(1_768_478_400), '2026-01-15T12:00:00.000000Z')
  assert.equal(utc(1_768_478_400_000), '2026-01-15T12:00:00.000000Z')
  assert.equal(utc(99_999_999_999), '5138-11-16T09:46:39.000000Z')
  assert.equal(utc(1e11), '1973-03-03T09:46:40.000000Z')
  assert.equal(utc(0), '1970-01-01T00:00:00.000000Z')
  assert.equal(utc(-0), '1970-01-01T00:00:00.000000Z')
  assert.equal(utc(300_000), '1970-01-04T11:20:00.000000Z')
  assert.equal(utc(-1), '1969-12-31T23:59:59.000000Z')
})

test('Unix time has fractions down to the microsecond', () => {
  assert.equal(utc(1_768_478_400.123456), '2026-01-15T12:00:00.123456Z')
  assert.equal(utc(1_768_478_400_123.5), '2026-01-15T12:00:00.123500Z')
  assert.equal(utc(-0.5), '1969-12-31T23:59:59.500000Z')
})

test('Unix time outside the years 0001 to 9999 is unreadable', () => {
  assert.equal(utc(-62_135_596_800), '0001-01-01T00:00:00.000000Z')
  assert.equal(raw(-62_135_596_801), '-62135596801')
  assert.equal(utc(253_402_300_799_999), '9999-12-31T23:59:59.999000Z')
  assert.equal(raw(253_402_300_800_000), '253402300800000')
  assert.equal(raw(-1_768_478_400_000), '-1768478400000')
  assert.equal(raw(1e300), '1e+300')
})

test('texts that other parsers take for times are unreadable and kept as sent', () => {
  for (const text of [
    '',
    ' ',
    'now',
    'infinity',
    '-infinity',
    'today',
    'epoch',
    'NaN',
    'Infinity',
    'null',
    '1768478400',
    '0',
    '12:00:00',
    '2026-01-15T',
    '2026-1-15T12:00:00Z',
    '2026-0115T12:00:00Z',
    '202601-15T12:00:00Z',
    ' 2026-01-15T12:00:00Z',
    '2026-01-15T12:00:00Z\n',
    '2026-01-15T12:00:00 +01:00 ',
    '2026-01-15T12:60:00Z',
    '2026-W03-4T12:00:00Z',
    'Thu, 15 Jan 2026 12:00:00 GMT',
    '2026-01-15T12:00:00Z; drop table events',
    '２０２６-01-15T12:00:00Z',
  ]) {
    assert.deepEqual(read(text), { kind: 'unreadable', raw: text })
  }
})

test('a time that is neither text nor number is kept as its JSON', () => {
  assert.equal(raw(true), 'true')
  assert.equal(raw({ a: [1, null] }), '{"a":[1,null]}')
  assert.equal(raw([]), '[]')
})

test('a raw text that PostgreSQL could not store is kept as its JSON, which it can', () => {
  assert.equal(raw('2026\0'), '"2026\\u0000"')
  assert.equal(raw('\ud800'), '"\\ud800"')
  assert.equal(raw('a\udc00b'), '"a\\udc00b"')
  assert.equal(raw('🚀'), '🚀')
})

test('objects nested ten thousand deep are unreadable like all others: reading never throws', () => {
  const deep: unknown = JSON.parse(`${'['.repeat(10_000)}${']'.repeat(10_000)}`)
  assert.equal(read(deep).kind, 'unreadable')
})

test('a value nested up to a thousand levels deep is kept as its JSON, on every Node, and a deeper one is not', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  assert.equal(raw(JSON.parse(nested(1_000))), nested(1_000))
  for (const levels of [1_001, 5_000, 100_000])
    assert.equal(raw(JSON.parse(nested(levels))), '(nested too deep to be kept)')
})

test('whatever a device sends, reading never throws and an unreadable text can be stored', () => {
  const timeLike = fc.stringMatching(
    /^[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ][0-9]{2}(:?[0-9]{2}(:?[0-9]{2}([.,][0-9]{1,20})?)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?$/,
  )
  const value = fc.oneof(timeLike, fc.jsonValue(), fc.double(), fc.string({ unit: 'binary' }))
  fc.assert(
    fc.property(
      value,
      fc.constantFrom('America/Los_Angeles', 'UTC', 'Pacific/Kiritimati', 'Pacific/Niue'),
      (sent, zone) => {
        const time = readDeviceTime(sent, { timeZone: zone, serverTime: instant('2026-11-23T18:00:00Z') })
        if (time.kind === 'unreadable') {
          assert.ok(time.raw.isWellFormed() && !time.raw.includes('\0'))
        } else if (time.kind !== 'absent') {
          assert.match(formatInstant(time.at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
        }
      },
    ),
    { numRuns: 5_000 },
  )
})

test('a second that was read before is read the same again, whatever follows it', () => {
  assert.equal(utc('2026-01-15T12:34:56Z'), '2026-01-15T12:34:56.000000Z')
  const tails: readonly (readonly [tail: string, fraction: string | null])[] = [
    ['Z', '000000'],
    ['.5Z', '500000'],
    ['.123Z', '123000'],
    ['.000001Z', '000001'],
    ['.999999Z', '999999'],
    ['.1234567Z', '123456'],
    ['.Z', null],
    ['.12aZ', null],
    ['.-1Z', null],
    ['5Z', null],
    ['ZZ', null],
    ['.5+01:00Z', null],
  ]
  for (const [tail, fraction] of tails) {
    const expected = fraction === null ? 'unreadable' : `2026-01-15T12:34:56.${fraction}Z`
    assert.equal(utc(`2026-01-15T12:34:56${tail}`), expected, tail)
  }
  assert.equal(utc('2026-01-15T12:34:56'), '2026-01-15T20:34:56.000000Z')
  assert.equal(utc('20260115T123456.125Z'), '2026-01-15T12:34:56.125000Z')
  assert.equal(utc('20260115T123456.12.5Z'), 'unreadable')
})

test('time zones are known by their IANA names', () => {
  for (const good of ['America/Los_Angeles', 'UTC', 'Etc/GMT+8', 'Asia/Kolkata'])
    assert.equal(isTimeZone(good), true, good)
  for (const bad of ['', 'Pacific', 'Mars/Olympus', 'America/Los Angeles', 'GMT+1']) {
    assert.equal(isTimeZone(bad), false, bad)
  }
})
