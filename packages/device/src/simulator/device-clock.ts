import type { DeviceTraits, World } from './world.ts'
import { trueTimeMs } from './world.ts'

/**
 * The device's own clock at a tick, in Unix milliseconds. It is right at boot (or at the first NTP answer, if it starts
 * in 1970) and then runs at its own rate: nothing sets it until the next boot.
 */
export function deviceClockMs(world: World, traits: DeviceTraits, tick: number): number {
  const now = trueTimeMs(world, traits, tick)
  const boot = trueTimeMs(world, traits, tick - (tick % traits.bootTicks))
  const { ntpAfterMs, driftPpm } = traits
  if (ntpAfterMs !== null && now - boot < ntpAfterMs) return now - boot
  const set = boot + (ntpAfterMs ?? 0)
  return Math.round(now + ((now - set) * driftPpm) / 1e6)
}

/** `ts_device` in the form that the device uses: with `Z`, local without offset, or whole Unix seconds. */
export function timestampOf(
  clockMs: number,
  format: DeviceTraits['timeFormat'],
  timeZone: string,
): string | number {
  switch (format) {
    case 'zulu':
      return new Date(clockMs).toISOString()
    case 'local':
      return new Date(clockMs + offsetMs(clockMs, timeZone)).toISOString().slice(0, -1)
    case 'unix':
      return Math.floor(clockMs / 1000)
    default:
      return format satisfies never
  }
}

const QUARTER_MS = 900_000
const MAX_OFFSETS = 10_000
const offsets = new Map<string, number>()

/**
 * Local minus UTC. Computed by Intl once per quarter of an hour, since that takes some microseconds and a simulation
 * needs it for every event; no zone has changed its offset within a quarter since 1970.
 */
function offsetMs(epochMs: number, timeZone: string): number {
  const quarter = Math.floor(epochMs / QUARTER_MS) * QUARTER_MS
  const key = `${timeZone} ${quarter}`
  const known = offsets.get(key)
  if (known !== undefined) return known
  const offset = wallClockMs(quarter, timeZone) - quarter
  if (offsets.size >= MAX_OFFSETS) offsets.clear()
  offsets.set(key, offset)
  return offset
}

function wallClockMs(epochMs: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(epochMs)
  const field = (name: string) => Number(parts.find(({ type }) => type === name)?.value)
  return Date.UTC(
    field('year'),
    field('month') - 1,
    field('day'),
    field('hour'),
    field('minute'),
    field('second'),
  )
}
