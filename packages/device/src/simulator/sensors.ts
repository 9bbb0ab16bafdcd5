import { pick, random } from './random.ts'
import type { DeviceTraits } from './world.ts'

/** A reading without identity and time. */
export interface Reading {
  readonly event_type: string
  readonly value: number | string | boolean
  readonly unit?: string
}

const DAY_MS = 86_400_000
const TEXTS = [
  'sensor bus recovered after 3 retries',
  'Tür klemmt, Motor läuft nach',
  'free heap 41 KiB, largest block 17 KiB',
  'watchdog fed late: 2,130 ms',
] as const

/**
 * The readings of one report, each at a fixed place that is part of the event id; null for a
 * sensor without a reading this time.
 */
export function readingsOf(traits: DeviceTraits, trueMs: number, tick: number): readonly (Reading | null)[] {
  const { sensorSeed: seed, bootTicks } = traits
  const noise = (sensor: number) => random(seed, sensor, tick) - 0.5
  // Coldest at six in the morning, warmest at six in the evening, of the day in UTC.
  const day = -Math.cos(((trueMs - DAY_MS / 4) / DAY_MS) * 2 * Math.PI)
  const temp = 17 + 6 * random(seed, 1) + (2 + 5 * random(seed, 2)) * day + 0.4 * noise(3)
  const humidity = 52 + 12 * random(seed, 4) - 11 * day + 2 * noise(5)
  return [
    tick % bootTicks === 0
      ? { event_type: 'boot', value: pick(['power-on', 'brownout', 'watchdog'], random(seed, 6, tick)) }
      : null,
    { event_type: 'temp', value: round(temp, 2), unit: '°C' },
    tick % 2 === 0 ? { event_type: 'humidity', value: round(humidity, 1), unit: '%' } : null,
    tick % 10 === 0 ? { event_type: 'battery', value: batteryVolts(seed, trueMs), unit: 'V' } : null,
    tick % 5 === 0 ? { event_type: 'rssi', value: Math.round(-67 + 30 * noise(7)), unit: 'dBm' } : null,
    door(traits, tick),
    random(seed, 8, tick) < 0.005 ? { event_type: 'log', value: pick(TEXTS, random(seed, 9, tick)) } : null,
  ]
}

/** From 4.18 V down to 3.3 V in two to nine weeks, then a fresh cell. */
function batteryVolts(seed: number, trueMs: number): number {
  const lifeMs = (14 + 49 * random(seed, 10)) * DAY_MS
  const age = (trueMs / lifeMs + random(seed, 11)) % 1
  return round(4.18 - 0.88 * age, 3)
}

/** Changes at about three ticks in a hundred. */
function door({ sensorSeed, doorAsText }: DeviceTraits, tick: number): Reading | null {
  if (random(sensorSeed, 12, tick) >= 0.03) return null
  const isOpen = random(sensorSeed, 13, tick) < 0.5
  return { event_type: 'door', value: doorAsText ? (isOpen ? 'open' : 'closed') : isOpen }
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
