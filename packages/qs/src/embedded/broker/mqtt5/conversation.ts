import type { Aside } from './asides.ts'
import type { Mqtt5Session } from './connect.ts'
import type { GatheredBytes } from './gathered-bytes.ts'
import type { PropertyCarrier } from './property-carrier.ts'
import type { Subscriptions } from './subscriptions.ts'

/** What a packet of the client may change or ask for while it is translated. */
export interface Conversation {
  /** Null before CONNECT. */
  readonly session: Mqtt5Session | null
  readonly clientId: string
  readonly toBroker: GatheredBytes
  readonly toClient: GatheredBytes
  readonly subscriptions: Subscriptions
  readonly carrier: PropertyCarrier
  /** Whether aedes has the topic filter for this client. */
  readonly isSubscribed: (filter: string) => boolean
  begin(session: Mqtt5Session): void
  /** The client has answered a message. */
  answered(packetId: number): void
  /** A packet for aedes. */
  forward(bytes: Uint8Array | readonly number[], aside?: Aside | null): void
  /** A packet for aedes is in `toBroker`. */
  forwarded(aside: Aside | null): void
  /**
   * DISCONNECT, which may change how long the session lives on, but not make one of none [3.14.2.2.2].
   *
   * @throws Mqtt5Fault
   */
  end(expirySeconds: number | undefined): void
}
