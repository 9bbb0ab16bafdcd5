import type { Qos } from '../mqtt/packet-types.ts'
import type { Session } from './session.ts'

export interface Subscription {
  readonly session: Session
  /** Without `$share/{group}/`. */
  readonly filter: string
  /** null: not shared. */
  readonly group: string | null
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly identifier: number | null
}
