import type { Aside } from './asides.ts'
import type { Mqtt5Session } from './connect.ts'
import type { GatheredBytes } from './gathered-bytes.ts'
import type { PropertyCarrier } from './property-carrier.ts'
import type { Subscriptions } from './subscriptions.ts'

/** What the translation of a client's packet may use and change. */
export interface Conversation {
  /** Null before CONNECT. */
  readonly session: Mqtt5Session | null
  readonly clientId: string
  readonly toBroker: GatheredBytes
  readonly toClient: GatheredBytes
  readonly subscriptions: Subscriptions
  readonly carrier: PropertyCarrier
  /** Whether aedes has this topic filter for the client. */
  readonly isSubscribed: (filter: string) => boolean
  begin(session: Mqtt5Session): void
  /** The client acknowledged a message. */
  answered(packetId: number): void
  /** Sends a packet to aedes. */
  forward(bytes: Uint8Array | readonly number[], aside?: Aside | null): void
  /** A packet for aedes was appended to `toBroker`. */
  forwarded(aside: Aside | null): void
  /**
   * DISCONNECT, which may change the session expiry unless it was 0 in CONNECT [3.14.2.2.2].
   *
   * @throws Mqtt5Fault
   */
  end(expirySeconds: number | undefined): void
}
