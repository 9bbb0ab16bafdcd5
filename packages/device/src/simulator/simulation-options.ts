import { DEFAULT_LIMITS, DEFAULT_TOPICS, type Limits } from '@qs-telemetry/protocol'
import type { WarningListener } from '../device-warning.ts'
import type { BrokerOptions } from '../link.ts'
import type { FaultShares, World } from './world.ts'

export interface SimulationOptions {
  readonly broker: BrokerOptions
  /** `+` stands for the device id. Default `qs/v1/+/events`. */
  readonly eventsTopic?: string
  /** Default `qs/v1/{device_id}/acks`. */
  readonly ackTemplate?: string
  readonly limits?: Limits
  /** Default 10. */
  readonly devices?: number
  /** Virtual milliseconds between two reports of a device. Default 10,000. */
  readonly intervalMs?: number
  /** Virtual seconds per second; Infinity is as fast as device acks arrive. Default 1. */
  readonly speed?: number
  /** Virtual milliseconds to simulate. Without it and without `events` it runs until stop(). */
  readonly durationMs?: number
  /** Stops after this many good events. */
  readonly events?: number
  /** Default 1. The same seed, start and settings give the same events. */
  readonly seed?: number
  /**
   * True time of the first report, Unix milliseconds. Default: now; with a duration and a speed above 1, early enough
   * that the simulation ends now. A start in the past catches up at `speed` and then continues live.
   */
  readonly startMs?: number
  /** IANA name; the zone of devices that send local time. Default `America/Los_Angeles`, as for DEVICE_TIMEZONE. */
  readonly timeZone?: string
  /** Device ids are this and a number. Default `sim-`. */
  readonly devicePrefix?: string
  /** Default: a fifth each of offline, 1970 and drifting; all have a clock and no message is broken. */
  readonly faults?: Partial<FaultShares>
  /** Waits above this number of events without device ack, over all devices. Default 20,000. */
  readonly maxWaitingEvents?: number
  /** First wait for a device ack. Default 10,000. */
  readonly resendAfterMs?: number
  /** How long to try to reach the broker at the start. Default 10,000. */
  readonly connectTimeoutMs?: number
  /** How long to wait for outstanding device acks at the end. Default 30,000. */
  readonly drainTimeoutMs?: number
  readonly onWarning?: WarningListener
}

export const DEFAULT_FAULTS: FaultShares = {
  offline: 0.2,
  epoch1970: 0.2,
  drifting: 0.2,
  clockless: 0,
  broken: 0,
}

/** The options with every default filled in; `nowMs` is the wall clock. */
export function resolveOptions(options: SimulationOptions, nowMs: number) {
  const speed = options.speed ?? 1
  const durationMs = options.durationMs ?? Number.POSITIVE_INFINITY
  const faster = speed > 1 && Number.isFinite(durationMs)
  const world: World = {
    seed: options.seed ?? 1,
    startMs: options.startMs ?? Math.floor(nowMs - (faster ? durationMs - durationMs / speed : 0)),
    intervalMs: options.intervalMs ?? 10_000,
    timeZone: options.timeZone ?? 'America/Los_Angeles',
    devicePrefix: options.devicePrefix ?? 'sim-',
    faults: { ...DEFAULT_FAULTS, ...options.faults },
  }
  return {
    world,
    speed,
    durationMs,
    devices: options.devices ?? 10,
    events: options.events ?? Number.POSITIVE_INFINITY,
    eventsTopic: options.eventsTopic ?? DEFAULT_TOPICS.events,
    ackTemplate: options.ackTemplate ?? DEFAULT_TOPICS.acks,
    limits: options.limits ?? DEFAULT_LIMITS,
    maxWaitingEvents: options.maxWaitingEvents ?? 20_000,
    resendAfterMs: options.resendAfterMs ?? 10_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    drainTimeoutMs: options.drainTimeoutMs ?? 30_000,
    onWarning: options.onWarning ?? (() => {}),
  }
}
