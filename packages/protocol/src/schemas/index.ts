/**
 * The wire contract as JSON Schemas, for docs, tests and validators. Separate from the rest, since loading the library
 * takes longer than all of it.
 */
export { DeadLetterSchema } from './dead-letter.ts'
export { DeviceAckMessageSchema, DeviceAckSchema } from './device-ack.ts'
export { EventMessageSchema, EventSchema } from './event.ts'
