import type { DirectIntake } from '../intake/direct-intake.ts'
import type { Gate, Origin } from '../intake/lane.ts'
import type { Output } from '../mqtt/output.ts'
import type { Clock } from '../pipeline/clock.ts'
import type { Message } from './message.ts'
import type { Pauses } from './pauses.ts'
import type { Router } from './router.ts'
import type { Peer, Rules } from './rules.ts'
import type { Sessions } from './sessions.ts'

/** A client that has logged in; the intake slows it down. */
export interface Client extends Peer, Gate {
  readonly output: Output
  readonly pauses: Pauses
  readonly isClosed: boolean
}

/** What all connections of a broker share. */
export interface BrokerParts {
  readonly sessions: Sessions
  readonly router: Router
  readonly rules: Rules
  readonly intake: Pick<DirectIntake, 'open' | 'close' | 'admit' | 'take' | 'takeWill' | 'dropped'> | null
  /** Whether a topic is one of events, which go to the intake. */
  readonly isEvents: (topic: string) => boolean
  readonly clock: Clock
  readonly maxPacketBytes: number
  /** Topics that the broker itself answers. */
  readonly control: ReadonlyMap<string, (client: Client, payload: Buffer) => void>
  /** Hands on a will. */
  readonly publishWill: (message: Message, origin: Origin) => void
  readonly connections: Connections
}

/** The connections by client id, and the callbacks at the end of one. */
export interface Connections {
  get(clientId: string): Client | undefined
  opened(connection: Client): void
  /** @param error null: in the ordinary way */
  ended(connection: Client, error: Error | null): void
}

/** Maximum QoS 1 and 2 messages from a client without an answer, in CONNACK. */
export const RECEIVE_MAXIMUM = 1_000
export const TOPIC_ALIAS_MAXIMUM = 16
