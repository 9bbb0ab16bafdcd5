import { DELIVERY_CASES } from './delivery-cases.ts'
import type { ParityCase } from './parity-case.ts'
import { RETAINED_CASES } from './retained-cases.ts'
import { SESSION_CASES } from './session-cases.ts'
import { WILL_AND_EXPIRY_CASES } from './will-cases.ts'

/** By their heading in docs/reference/mqtt-parity.md. */
export const PARITY_CASES: Readonly<Record<string, readonly ParityCase[]>> = {
  'Quality of service and redelivery': DELIVERY_CASES,
  'Retained messages': RETAINED_CASES,
  'Client ids, take-over and sessions': SESSION_CASES,
  'Wills and message expiry': WILL_AND_EXPIRY_CASES,
}
