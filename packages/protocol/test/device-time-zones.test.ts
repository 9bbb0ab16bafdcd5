import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { type DeviceTime, readDeviceTime } from '../src/device-time.ts'

const MINUTE_MS = 60_000

/** Moments of clock changes, and by how many minutes: forward is positive. */
const TRANSITIONS = [
  { zone: 'America/Los_Angeles', at: '2026-03-08T10:00:00Z', offsetBefore: -480, shift: 60 },
  { zone: 'America/Los_Angeles', at: '2026-11-01T09:00:00Z', offsetBefore: -420, shift: -60 },
  { zone: 'Europe/Berlin', at: '2026-03-29T01:00:00Z', offsetBefore: 60, shift: 60 },
  { zone: 'Europe/Berlin', at: '2026-10-25T01:00:00Z', offsetBefore: 120, shift: -60 },
  // Half an hour.
  { zone: 'Australia/Lord_Howe', at: '2026-04-04T15:00:00Z', offsetBefore: 660, shift: -30 },
  { zone: 'Australia/Lord_Howe', at: '2026-10-03T15:30:00Z', offsetBefore: 630, shift: 30 },
  // One minute past midnight, within a quarter of an hour.
  { zone: 'America/St_Johns', at: '2010-03-14T03:31:00Z', offsetBefore: -210, shift: 60 },
  { zone: 'America/St_Johns', at: '2010-11-07T02:31:00Z', offsetBefore: -150, shift: -60 },
  // A quarter of an hour, a whole day, and a permanent change.
  { zone: 'Asia/Kathmandu', at: '1985-12-31T18:30:00Z', offsetBefore: 330, shift: 15 },
  { zone: 'Pacific/Apia', at: '2011-12-30T10:00:00Z', offsetBefore: -600, shift: 1440 },
  { zone: 'Asia/Pyongyang', at: '2015-08-14T15:00:00Z', offsetBefore: 540, shift: -30 },
] as const

const transition = fc.constantFrom(...TRANSITIONS)

const atMs = (time: DeviceTime): number | null => (time.kind === 'local' ? time.at.epochMs : null)

/** A wall time as text, given as if it were UTC. */
const wallText = (wallMs: number): string => new Date(wallMs).toISOString().slice(0, -1)

const read = (wallMs: number, timeZone: string, serverMs: number): number | null =>
  atMs(readDeviceTime(wallText(wallMs), { timeZone, serverTime: { epochMs: serverMs, micros: 0 } }))

const formats = new Map<string, Intl.DateTimeFormat>()

/** The wall time at an instant according to Intl, as if it were UTC. */
function wallOf(epochMs: number, zone: string): number {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    formats.set(zone, format)
  }
  const part = Object.fromEntries(format.formatToParts(epochMs).map(({ type, value }) => [type, value]))
  const seconds = Date.parse(
    `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}Z`,
  )
  return seconds + (((epochMs % 1000) + 1000) % 1000)
}

test('in every zone, the wall time at an instant is read back as that instant', () => {
  const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'))
  const epochMs = fc.integer({ min: Date.parse('1973-01-01'), max: Date.parse('2037-12-31') })
  fc.assert(
    fc.property(zone, epochMs, (timeZone, ms) => {
      assert.equal(read(wallOf(ms, timeZone), timeZone, ms), ms)
    }),
    { numRuns: 2_000 },
  )
})

test('the same holds in the hours around every clock change', () => {
  const aroundMs = fc.integer({ min: -3 * 60 * MINUTE_MS, max: 3 * 60 * MINUTE_MS })
  fc.assert(
    fc.property(transition, aroundMs, ({ zone, at }, offsetMs) => {
      const ms = Date.parse(at) + offsetMs
      assert.equal(read(wallOf(ms, zone), zone, ms), ms)
    }),
    { numRuns: 3_000 },
  )
})

test('a skipped wall time is shifted forward by the gap, whatever the server time', () => {
  const gap = fc.constantFrom(...TRANSITIONS.filter(({ shift }) => shift > 0))
  fc.assert(
    fc.property(
      gap,
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
      fc.integer({ min: -1e12, max: 1e12 }),
      ({ zone, at, offsetBefore, shift }, part, serverMs) => {
        const intoMs = Math.floor(part * shift * MINUTE_MS)
        const wallMs = Date.parse(at) + offsetBefore * MINUTE_MS + intoMs
        assert.equal(read(wallMs, zone, Date.parse(at) + serverMs), Date.parse(at) + intoMs)
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a repeated wall time is the nearer of its two instants', () => {
  const overlap = fc.constantFrom(...TRANSITIONS.filter(({ shift }) => shift < 0))
  fc.assert(
    fc.property(
      overlap,
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
      fc.integer({ min: -1e8, max: 1e8 }),
      ({ zone, at, offsetBefore, shift }, part, aheadMs) => {
        const widthMs = -shift * MINUTE_MS
        const earlierMs = Date.parse(at) - widthMs + Math.floor(part * widthMs)
        const laterMs = earlierMs + widthMs
        const serverMs = earlierMs + widthMs / 2 + aheadMs
        const wallMs = earlierMs + offsetBefore * MINUTE_MS
        assert.equal(read(wallMs, zone, serverMs), aheadMs > 0 ? laterMs : earlierMs)
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a time is read the same, whichever times of the same hours were read before it', () => {
  const minutes = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 2, maxLength: 20 })
  fc.assert(
    fc.property(transition, minutes, ({ zone, at, offsetBefore }, walls) => {
      const serverMs = Date.parse(at) - 1
      const wallMs = (minute: number) => Date.parse(at) + (offsetBefore + minute) * MINUTE_MS
      const once = walls.map((minute) => read(wallMs(minute), zone, serverMs))
      const again = walls.toReversed().map((minute) => read(wallMs(minute), zone, serverMs))
      assert.deepEqual(again.toReversed(), once)
      // Before the change every wall time is its instant plus the earlier offset.
      for (const [index, minute] of walls.entries()) {
        if (minute < -60) assert.equal(once[index], Date.parse(at) + minute * MINUTE_MS)
      }
    }),
    { numRuns: 500 },
  )
})

test('more quarters of an hour than are cached are read too', () => {
  const startMs = Date.parse('2026-01-01T00:00:00Z')
  for (let quarter = 0; quarter < 10_050; quarter++) {
    const ms = startMs + quarter * 15 * MINUTE_MS
    if (read(ms, 'Etc/GMT+8', startMs) !== ms + 8 * 60 * MINUTE_MS) assert.fail(`quarter ${quarter}`)
  }
  assert.equal(read(startMs, 'Etc/GMT+8', startMs), startMs + 8 * 60 * MINUTE_MS)
})

test('the time zone of the process changes nothing', async () => {
  const texts = [
    '2026-01-15T12:00:00',
    '2026-07-15T12:00:00',
    '2026-03-08T02:30:00',
    '2026-03-29T02:30:00',
    '2026-11-01T01:30:00.123456',
    '2026-01-15T12:00:00Z',
    '2026-02-30T12:00:00',
    '0001-01-02T00:00:00',
  ]
  const script = `
    import { readDeviceTime } from ${JSON.stringify(new URL('../src/device-time.ts', import.meta.url).href)}
    const context = { timeZone: 'America/Los_Angeles', serverTime: { epochMs: 1793525400000, micros: 0 } }
    console.log(JSON.stringify([new Date(2026, 0).getTimezoneOffset(), ${JSON.stringify(texts)}.map((text) => readDeviceTime(text, context))]))`
  const run = async (zone: string) => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--conditions=source', '--input-type=module', '--eval', script],
      { env: { ...process.env, TZ: zone }, cwd: new URL('..', import.meta.url).pathname },
    )
    return JSON.parse(stdout) as [offset: number, times: DeviceTime[]]
  }
  const [kolkata, losAngeles, berlin] = await Promise.all([
    run('Asia/Kolkata'),
    run('America/Los_Angeles'),
    run('Europe/Berlin'),
  ])
  assert.deepEqual([kolkata[0], losAngeles[0], berlin[0]], [-330, 480, -60])
  assert.deepEqual(kolkata[1], losAngeles[1])
  assert.deepEqual(kolkata[1], berlin[1])
  assert.deepEqual(kolkata[1].slice(0, 2).map(atMs), [
    Date.parse('2026-01-15T20:00:00Z'),
    Date.parse('2026-07-15T19:00:00Z'),
  ])
})
