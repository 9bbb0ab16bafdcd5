import { CONNECT_CASES } from './connect-cases.ts'
import { DELIVERY_CASES } from './delivery-cases.ts'
import { EXCHANGE_CASES } from './exchange-cases.ts'
import { MALFORMED_CASES } from './malformed-cases.ts'
import type { ParityCase } from './parity-case.ts'
import { PROPERTY_CASES } from './property-cases.ts'
import { RETAINED_CASES } from './retained-cases.ts'
import { SESSION_CASES } from './session-cases.ts'
import { SHARED_CASES } from './shared-cases.ts'
import { SUBSCRIPTION_CASES } from './subscription-cases.ts'
import { WILL_AND_EXPIRY_CASES } from './will-cases.ts'

/** By their heading in docs/reference/mqtt-parity.md. */
export const PARITY_CASES: Readonly<Record<string, readonly ParityCase[]>> = {
  'Quality of service and redelivery': DELIVERY_CASES,
  'Retained messages': RETAINED_CASES,
  'Client ids, take-over and sessions': SESSION_CASES,
  'Wills and message expiry': WILL_AND_EXPIRY_CASES,
  'Filters and subscriptions': SUBSCRIPTION_CASES,
  'Shared subscriptions': SHARED_CASES,
  'Packet identifiers and flow control': EXCHANGE_CASES,
  'Properties, topic aliases and DISCONNECT': PROPERTY_CASES,
  'CONNECT and CONNACK': CONNECT_CASES,
  'Malformed packets and protocol errors': MALFORMED_CASES,
}
