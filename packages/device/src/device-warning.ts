import type { DeviceAck } from '@qs-telemetry/protocol'

/** Something an operator may want to know; nothing is lost by it. Said through `onWarning`. */
export type DeviceWarning =
  /** Can never be stored. The ingester keeps it as a dead letter, this side has forgotten it. */
  | { readonly kind: 'rejected'; readonly deviceId: string; readonly deviceAck: DeviceAck }
  /** Stored all the same, but odd: `deviceAck.warning` says why. */
  | { readonly kind: 'odd'; readonly deviceId: string; readonly deviceAck: DeviceAck }
  /** The ingester could not read a whole message and it is not certain which one: all are kept and sent again. */
  | { readonly kind: 'unnamed'; readonly deviceId: string; readonly deviceAck: DeviceAck }
  /** A message on the ack topic that is no device ack. */
  | { readonly kind: 'unreadable'; readonly deviceId: string }
  /** The broker refused a publish; the events are kept and sent again. */
  | { readonly kind: 'refused'; readonly deviceId: string; readonly error: Error }
  /** The journal could not be written after a device ack: a restart would send those events once more. */
  | { readonly kind: 'journal'; readonly deviceId: string; readonly error: Error }
  /** The connection failed or was refused; it is tried again. */
  | { readonly kind: 'connection'; readonly error: Error }

export type WarningListener = (warning: DeviceWarning) => void
