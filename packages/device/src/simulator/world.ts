import { pick, random } from './random.ts'

/** Shares of devices or messages with a fault, from 0 to 1. */
export interface FaultShares {
  /** Devices that lose their network at times and send the backlog afterwards. */
  readonly offline: number
  /** Devices whose clock starts in 1970 at each boot, until NTP sets it. */
  readonly epoch1970: number
  /** Devices whose clock drifts, by 50 to 500 ppm either way. */
  readonly drifting: number
  /** Devices without a clock: they send `age_ms` and no `ts_device`. */
  readonly clockless: number
  /** Messages, in addition to the good ones, that the ingester must reject. */
  readonly broken: number
}

/** Everything that a simulation depends on. The same world gives the same events, byte for byte. */
export interface World {
  readonly seed: number
  /** True time of the first tick, Unix milliseconds. */
  readonly startMs: number
  /** Time between two reports of a device. */
  readonly intervalMs: number
  /** IANA name; the zone of devices that send local time. */
  readonly timeZone: string
  readonly devicePrefix: string
  readonly faults: FaultShares
}

/** What does not change over the life of a device. */
export interface DeviceTraits {
  readonly deviceId: string
  /** Offset of its reports within the interval, so that a thousand devices do not report at once. */
  readonly phaseMs: number
  /** Ticks from one boot to the next. */
  readonly bootTicks: number
  readonly losesNetwork: boolean
  /** Time from boot to the first NTP answer if the clock starts in 1970; null if it keeps time. */
  readonly ntpAfterMs: number | null
  /** Parts per million by which the clock runs fast, since boot or NTP. */
  readonly driftPpm: number
  readonly hasClock: boolean
  readonly timeFormat: 'zulu' | 'local' | 'unix'
  readonly hasMeta: boolean
  readonly doorAsText: boolean
  /** Seed of the measured values. */
  readonly sensorSeed: number
}

const HOUR_MS = 3_600_000

export function traitsOf(world: World, index: number): DeviceTraits {
  const { seed, faults, intervalMs } = world
  const roll = (trait: number) => random(seed, index, trait)
  const ppm = (50 + 450 * roll(5)) * (roll(6) < 0.5 ? -1 : 1)
  return {
    deviceId: `${world.devicePrefix}${String(index + 1).padStart(4, '0')}`,
    phaseMs: Math.floor(roll(1) * intervalMs),
    bootTicks: Math.max(2, Math.round(((6 + 42 * roll(2)) * HOUR_MS) / intervalMs)),
    losesNetwork: roll(3) < faults.offline,
    ntpAfterMs: roll(4) < faults.epoch1970 ? Math.round((1 + 9 * roll(7)) * intervalMs) : null,
    driftPpm: roll(8) < faults.drifting ? Math.round(ppm) : 0,
    hasClock: roll(13) >= faults.clockless,
    timeFormat: pick(['zulu', 'zulu', 'local', 'unix'], roll(9)),
    hasMeta: roll(10) < 0.4,
    doorAsText: roll(11) < 0.5,
    sensorSeed: Math.floor(roll(12) * 2 ** 32),
  }
}

/** True time of a report. */
export function trueTimeMs(world: World, traits: DeviceTraits, tick: number): number {
  return world.startMs + tick * world.intervalMs + traits.phaseMs
}

const PHASE_OFFLINE_MS = 600_000

/** Whether a device is online at a tick: devices that lose their network do so in three of ten ten-minute phases. */
export function isOnline(world: World, index: number, tick: number): boolean {
  if (!traitsOf(world, index).losesNetwork) return true
  const phaseTicks = Math.max(3, Math.round(PHASE_OFFLINE_MS / world.intervalMs))
  return random(world.seed, index, 20, Math.floor(tick / phaseTicks)) >= 0.3
}
