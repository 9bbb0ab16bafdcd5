import type { EventTopic, Instant, Limits } from '@qs-telemetry/protocol'
import type { ClockTrust } from './event-time.ts'

export interface DecodeOptions {
  readonly topic: EventTopic
  readonly limits: Limits
  readonly clockTrust: ClockTrust
  /** `device`: an event id must begin with the device id and a hyphen. Default `any`. */
  readonly eventIdRule?: 'any' | 'device'
  /** The time zone for a device's times without an offset. */
  readonly timeZoneOf: (deviceId: string) => string
}

/** Shared by all elements of a message. */
export interface MessageContext {
  readonly options: DecodeOptions
  /** From the topic. */
  readonly deviceId: string | null
  readonly receivedAt: Instant
  readonly tsServer: string
}
