import type { DeviceAck } from '@qs-telemetry/protocol'

/** Something an operator may want to know; nothing is lost, but for the kind `lost`. Passed to `onWarning`. */
export type DeviceWarning =
  /** The event can never be stored. The ingester keeps it as a dead letter; this side has forgotten it. */
  | { readonly kind: 'rejected'; readonly deviceId: string; readonly deviceAck: DeviceAck }
  /** The event is stored, but unusual: `deviceAck.warning` says why. */
  | { readonly kind: 'odd'; readonly deviceId: string; readonly deviceAck: DeviceAck }
  /** The ingester could not read a message and it is not certain which: all are kept and sent again. */
  | { readonly kind: 'unnamed'; readonly deviceId: string; readonly deviceAck: DeviceAck }
  /** A message on the ack topic that is not a device ack. */
  | { readonly kind: 'unreadable'; readonly deviceId: string }
  /** The broker refused a publish; the events are kept and sent again. */
  | { readonly kind: 'refused'; readonly deviceId: string; readonly error: Error }
  /** The journal could not be written after a device ack: a restart would send those events again. */
  | { readonly kind: 'journal'; readonly deviceId: string; readonly error: Error }
  /** Events that were in the journal are gone, as it was damaged. An event of the type `events_lost` has the sum of all. */
  | { readonly kind: 'lost'; readonly deviceId: string; readonly events: number }
  /** The connection failed or was refused; the client tries again. */
  | { readonly kind: 'connection'; readonly error: Error }

export type WarningListener = (warning: DeviceWarning) => void
