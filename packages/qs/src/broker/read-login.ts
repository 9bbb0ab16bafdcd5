import { randomUUID } from 'node:crypto'
import { type Connect, readConnect } from '../mqtt/connect-packet.ts'
import type { Frames } from '../mqtt/frames.ts'
import type { Level } from '../mqtt/packet-types.ts'
import { REASON, type Reason } from '../mqtt/reasons.ts'

/** The first packet of a connection: a login, or why it is refused. */
export type Login =
  | { readonly kind: 'login'; readonly connect: Connect; readonly isIdAssigned: boolean }
  | { readonly kind: 'refused'; readonly reason: Reason }

/** @throws ProtocolFault */
export function readLogin(frame: Frames, level: Level): Login {
  const connect = readConnect(frame, level)
  if (connect.clientId !== '') return { kind: 'login', connect, isIdAssigned: false }
  // A 3.1.1 client without an id cannot return to a session [MQTT-3.1.3-8]; MQTT 5 tells it its id.
  if (level < 5 && !connect.cleanStart) return { kind: 'refused', reason: REASON.clientIdInvalid }
  return { kind: 'login', connect: { ...connect, clientId: `auto-${randomUUID()}` }, isIdAssigned: true }
}
