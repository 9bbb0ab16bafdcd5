import type { Connect } from '../mqtt/connect-packet.ts'
import type { Reason } from '../mqtt/reasons.ts'

/** A client as the rules see it: the same object from its login on. */
export interface Peer {
  readonly clientId: string
  readonly address: string
  close(error: Error): void
}

/** A message that a client publishes. */
export interface ClientPublish {
  readonly topic: string
  /** Whether the client may publish to it. */
  readonly isAllowed: boolean
  /** Whether the topic is one of events. */
  readonly isEvents: boolean
  readonly payload: Buffer
  /** Of the whole packet: properties cost more than a payload of the same size. */
  readonly bytes: number
}

/** What a client has sent. */
export interface Spent {
  readonly messages: number
  readonly bytes: number
}

export interface LoggedIn {
  readonly account: string
  /** Its client id is its own: a session that another account has made with it ends. Default: false. */
  readonly ownsId?: boolean
}

/** Who may do what, and what a client costs. */
export interface Rules {
  /** Success and the account of the client, or why it is refused. */
  login(peer: Peer, connect: Connect): Promise<LoggedIn & { readonly reason: Reason }>
  /** Changes whenever any rights change. */
  readonly revision: unknown
  mayPublish(peer: Peer, topic: string): boolean
  maySubscribe(peer: Peer, filter: string): boolean
  mayReceive(peer: Peer, topic: string): boolean
  /** Called for each PUBLISH. Returns for how many milliseconds nothing more is read from the client. */
  published(peer: Peer, publish: ClientPublish): number
  /** The same for other packets; a topic filter counts as a message. */
  charge(peer: Peer, spent: Spent): number
  /** Something to tell the operator about. */
  refused(
    peer: Peer,
    what: 'publish' | 'subscribe' | 'sessions' | 'client id' | 'retained',
    topic: string,
  ): void
}
