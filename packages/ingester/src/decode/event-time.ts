import { type DeviceTime, formatInstant, type Instant } from '@qs-telemetry/protocol'
import type { Event } from '../pipeline/message.ts'
import { warning } from './warning.ts'

export interface ClockTrust {
  readonly maxPastMs: number
  readonly maxFutureMs: number
}

export type EventTime = Pick<Event, 'ts' | 'tsDevice' | 'tsDeviceLocal' | 'tsDeviceRaw' | 'warning'>

const UNREADABLE = warning(
  'TS_DEVICE_UNREADABLE',
  'Stored without device time: send ISO 8601, 2026-01-15T12:00:00Z, or Unix time as a number',
)

const IMPLAUSIBLE = warning(
  'TS_DEVICE_IMPLAUSIBLE',
  'Charts use the server time: ts_device is too far from it. Set the clock, or leave ts_device out',
)

/** Event time is the device's where its clock is plausible, so that a board in 1970 does not ruin a chart. */
export function eventTime(
  device: DeviceTime,
  receivedAt: Instant,
  tsServer: string,
  trust: ClockTrust,
): EventTime {
  switch (device.kind) {
    case 'absent':
      return { ts: tsServer, tsDevice: null, tsDeviceLocal: null, tsDeviceRaw: null, warning: null }
    case 'unreadable':
      return {
        ts: tsServer,
        tsDevice: null,
        tsDeviceLocal: null,
        tsDeviceRaw: device.raw,
        warning: UNREADABLE,
      }
    case 'instant':
    case 'local': {
      const aheadMs = device.at.epochMs - receivedAt.epochMs
      const isPlausible = aheadMs <= trust.maxFutureMs && aheadMs >= -trust.maxPastMs
      const tsDevice = formatInstant(device.at)
      return {
        ts: isPlausible ? tsDevice : tsServer,
        tsDevice,
        tsDeviceLocal: device.kind === 'local' ? device.wall : null,
        tsDeviceRaw: null,
        warning: isPlausible ? null : IMPLAUSIBLE,
      }
    }
  }
}
