/**
 * The wire contract of qs-telemetry, version 1.
 *
 * Pure: no I/O, no clock, no dependency on the other packages. docs/wire-contract.md is the prose.
 */
export { DEAD_LETTER_CODES, type DeadLetterCode } from './codes.ts'
export { type DeadLetter, DeadLetterSchema } from './dead-letter.ts'
export {
  ackFor,
  type DeviceAck,
  type DeviceAckMessage,
  DeviceAckMessageSchema,
  DeviceAckSchema,
  type DeviceAckWarning,
} from './device-ack.ts'
export { type DeviceTime, type DeviceTimeContext, isTimeZone, readDeviceTime } from './device-time.ts'
export { CONTRACT_VERSION, EventMessageSchema, EventSchema, type WireEvent } from './event.ts'
export { formatInstant, type Instant, instantFromMs } from './instant.ts'
export { DEFAULT_LIMITS, type Limits } from './limits.ts'
export { ackTopic, DEFAULT_TOPICS, EventTopic, isDeviceId, topicMatches } from './topics.ts'
