import { CONTRACT_VERSION, type WireEvent } from '@qs-telemetry/protocol'
import { deviceClockMs, timestampOf } from './device-clock.ts'
import { pick, random } from './random.ts'
import { readingsOf } from './sensors.ts'
import { type DeviceTraits, traitsOf, trueTimeMs, type World } from './world.ts'

/*
 * The model: (world, device index, tick) → the events of that device. Pure and stateless, so the backlog of a device
 * that was offline is just the ticks that it missed.
 */

/** A report of one device. */
export interface Turn {
  readonly index: number
  readonly tick: number
}

/** Places for readings in one report; the number of an event is tick since boot × this + place. */
const PLACES = 8

/** The events of one report, in order. */
export function reportOf(world: World, index: number, tick: number): readonly WireEvent[] {
  const traits = traitsOf(world, index)
  const trueMs = trueTimeMs(world, traits, tick)
  const clockMs = deviceClockMs(world, traits, tick)
  const tsDevice = timestampOf(clockMs, traits.timeFormat, world.timeZone)
  const events: WireEvent[] = []
  for (const [place, reading] of readingsOf(traits, trueMs, tick).entries()) {
    if (reading === null) continue
    events.push({
      schema: CONTRACT_VERSION,
      event_id: eventIdOf(world, traits, tick, place),
      device_id: traits.deviceId,
      ...reading,
      ...(traits.hasClock ? { ts_device: tsDevice } : {}),
      ...(traits.hasMeta ? { meta: metaOf(traits, reading.event_type) } : {}),
    })
  }
  return events
}

/** The events as sent at `nowMs` on the wall clock: a device without a clock says how old its readings are. */
export function reportAt(world: World, { index, tick }: Turn, nowMs: number): readonly WireEvent[] {
  const events = reportOf(world, index, tick)
  const traits = traitsOf(world, index)
  if (traits.hasClock) return events
  const ageMs = Math.max(0, nowMs - trueTimeMs(world, traits, tick))
  return events.map((event) => ({ ...event, age_ms: ageMs }))
}

/** A message that can never be stored, for the configured share of reports; otherwise null. */
export function brokenOf(world: World, index: number, tick: number): string | null {
  if (random(world.seed, index, 30, tick) >= world.faults.broken) return null
  const traits = traitsOf(world, index)
  const event = {
    schema: CONTRACT_VERSION,
    event_id: eventIdOf(world, traits, tick, PLACES - 1),
    device_id: traits.deviceId,
    event_type: 'temp',
    value: 21.5,
  }
  const text = JSON.stringify(event)
  return pick(
    [
      text.slice(0, -9),
      JSON.stringify({ ...event, event_type: undefined }),
      JSON.stringify({ ...event, device_id: `${traits.deviceId}-other` }),
      JSON.stringify({ ...event, value: { celsius: 21.5 } }),
    ],
    random(world.seed, index, 31, tick),
  )
}

/**
 * `<device>-<boot>-t<number>`, ordered per device. The t says that it is no sequence: readings that were never made leave out
 * numbers, and would count as missing. The boot is its true time: two simulations with the same seed and
 * different starts must not use the same ids, since their events have different times, which is a conflict.
 */
function eventIdOf(world: World, traits: DeviceTraits, tick: number, place: number): string {
  const tickOfBoot = tick % traits.bootTicks
  const boot = trueTimeMs(world, traits, tick - tickOfBoot)
    .toString(36)
    .padStart(9, '0')
  return `${traits.deviceId}-${boot}-t${String(tickOfBoot * PLACES + place).padStart(9, '0')}`
}

function metaOf({ sensorSeed }: DeviceTraits, eventType: string): Record<string, unknown> {
  const firmware = `1.${Math.floor(random(sensorSeed, 14) * 9)}.${Math.floor(random(sensorSeed, 15) * 20)}`
  const room = pick(['kitchen', 'hall', 'cellar', 'greenhouse', 'line 3'], random(sensorSeed, 16))
  return eventType === 'boot' ? { firmware, chip: 'ESP32-C3', room } : { firmware, room }
}
