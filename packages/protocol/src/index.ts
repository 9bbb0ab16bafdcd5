/**
 * The wire contract of qs-telemetry, version 1.
 *
 * Pure: no I/O, no clock, no dependency on the other packages. docs/wire-contract.md describes it.
 */
export { brokerPlace, brokerUrls } from './broker-urls.ts'
export { CALENDAR_RANGES, type CalendarRange, calendarRange } from './calendar-range.ts'
export { DEAD_LETTER_CODES, type DeadLetterCode, WARNING_CODES, type WarningCode } from './codes.ts'
export { CONTRACT_VERSION } from './contract-version.ts'
export { ackFor } from './device-ack.ts'
export {
  type DeviceTime,
  type DeviceTimeContext,
  isTimeZone,
  NESTED_TOO_DEEP,
  readDeviceTime,
} from './device-time.ts'
export { elementBytes, splitArray } from './element-bytes.ts'
export { formatInstant, type Instant, instantFromMs } from './instant.ts'
export { jsonContent } from './json-bytes.ts'
export { DEFAULT_LIMITS, type Limits } from './limits.ts'
export { LocalClock } from './local-clock.ts'
export { readEventId } from './read-event-id.ts'
export { reasonWords } from './reason-words.ts'
export type { DeadLetter } from './schemas/dead-letter.ts'
export type { DeviceAck, DeviceAckMessage, DeviceAckWarning } from './schemas/device-ack.ts'
export type { WireEvent } from './schemas/event.ts'
export { ackTopic, ackTopics, DEFAULT_TOPICS, EventTopic, isDeviceId, topicMatches } from './topics.ts'
export { utcText } from './utc-text.ts'
