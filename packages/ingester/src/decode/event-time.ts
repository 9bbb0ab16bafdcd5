import { type DeviceAckWarning, type DeviceTime, formatInstant, type Instant } from '@qs-telemetry/protocol'
import type { Event } from '../pipeline/message.ts'

export interface ClockTrust {
  readonly maxPastMs: number
  readonly maxFutureMs: number
}

export type EventTime = Pick<Event, 'ts' | 'tsDevice' | 'tsDeviceLocal' | 'tsDeviceRaw' | 'warning'>

const UNREADABLE: DeviceAckWarning = {
  code: 'TS_DEVICE_UNREADABLE',
  message: 'Stored without device time: send ISO 8601, 2026-01-15T12:00:00Z, or Unix time as a number',
}

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
      const tsDevice = formatInstant(device.at)
      return {
        ts: aheadMs <= trust.maxFutureMs && aheadMs >= -trust.maxPastMs ? tsDevice : tsServer,
        tsDevice,
        tsDeviceLocal: device.kind === 'local' ? device.wall : null,
        tsDeviceRaw: null,
        warning: null,
      }
    }
  }
}
