import { once } from 'node:events'
import { type AddressInfo, createServer, type NetConnectOpts, type Server, Socket } from 'node:net'
import { Lane } from './lane.ts'

export type Direction = 'toServer' | 'toClient'

/** What the network does to current and new connections, until changed. */
export type FaultMode =
  | { readonly kind: 'pass' }
  /** Delays every byte, each way. */
  | { readonly kind: 'delay'; readonly ms: number }
  /**
   * A black hole: nothing passes, and no end gets an error. With a direction, the other one works for some kilobytes
   * more: then its sender waits, since TCP's acknowledgements would come through the silent direction.
   */
  | { readonly kind: 'silent'; readonly direction?: Direction }
  /** Resets new connections at once. The port stays bound, so that no other program can take it. */
  | { readonly kind: 'refuse' }

/** Called with the bytes that pass. Connections are numbered from 1. */
export type ProxyObserver = (connection: number, direction: Direction, bytes: Buffer) => void

/** Typical unacknowledged bytes in flight on a busy connection. */
const WINDOW_BYTES = 64 * 1024

interface Link {
  readonly client: Socket
  readonly server: Socket
  readonly toServer: Lane
  readonly toClient: Lane
  isConnecting: boolean
}

/**
 * A bad network on its own port, in front of a server. TCP stays TCP: within a connection, no byte is ever missing,
 * duplicated or out of order. Bytes held by a black hole arrive late, or the connection never carries another byte.
 *
 * Unlike with a real network, connecting always succeeds at once; the silence begins after it.
 */
export class FaultProxy {
  readonly #upstream: NetConnectOpts
  readonly #observe: ProxyObserver
  readonly #listener: Server
  readonly #links = new Set<Link>()
  #accepted = 0
  #mode: FaultMode = { kind: 'pass' }

  private constructor(upstream: NetConnectOpts, observe: ProxyObserver) {
    this.#upstream = upstream
    this.#observe = observe
    this.#listener = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) =>
      this.#accept(client),
    )
  }

  /** Listens on a free loopback port. `upstream` is read for each connection: a server may come back elsewhere. */
  static async start(upstream: NetConnectOpts, observe: ProxyObserver = () => {}): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream, observe)
    proxy.#listener.listen(0, '127.0.0.1')
    await once(proxy.#listener, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port
  }

  /** Number of connections accepted so far. */
  get accepted(): number {
    return this.#accepted
  }

  set(mode: FaultMode): void {
    this.#mode = mode
    for (const link of this.#links) this.#apply(link)
  }

  /**
   * Ends the fault for new connections. Silent connections deliver everything late, as after a fault shorter than TCP's
   * timeout; or they stay silent forever, as if a router had dropped their state.
   */
  heal(silent: 'late' | 'forgotten' = 'late'): void {
    if (silent === 'forgotten') {
      for (const { toServer, toClient } of this.#links) {
        if (toServer.state !== 'held' && toClient.state !== 'held') continue
        for (const lane of [toServer, toClient]) lane.lose()
      }
    }
    this.set({ kind: 'pass' })
  }

  /** Ends every current connection with RST on both sides. */
  reset(): void {
    for (const { client, server, toServer, toClient } of this.#links) {
      for (const lane of [toServer, toClient]) lane.lose()
      for (const socket of [client, server]) socket.resetAndDestroy()
    }
  }

  /** Leaves `side` of every current connection open, without notice that the other side is gone. */
  leaveHalfOpen(side: 'client' | 'server'): void {
    for (const { client, server, toServer, toClient } of this.#links) {
      for (const lane of [toServer, toClient]) lane.lose()
      if (side === 'client') server.resetAndDestroy()
      else client.resetAndDestroy()
    }
  }

  async close(): Promise<void> {
    this.#listener.close()
    for (const { client, server } of this.#links) for (const socket of [client, server]) socket.destroy()
    await once(this.#listener, 'close')
  }

  #accept(client: Socket): void {
    const connection = ++this.#accepted
    client.on('error', () => {})
    if (this.#mode.kind === 'refuse') return void client.resetAndDestroy()
    const server = new Socket({ allowHalfOpen: true })
    server.pause()
    server.on('error', () => {})
    for (const socket of [client, server]) socket.setNoDelay(true)
    const link: Link = {
      client,
      server,
      toServer: new Lane(client, server, (bytes) => this.#observe(connection, 'toServer', bytes)),
      toClient: new Lane(server, client, (bytes) => this.#observe(connection, 'toClient', bytes)),
      isConnecting: false,
    }
    this.#links.add(link)
    const forget = () => client.destroyed && server.destroyed && this.#links.delete(link)
    for (const socket of [client, server]) socket.once('close', forget)
    this.#apply(link)
  }

  #apply(link: Link): void {
    const mode = this.#mode
    if (mode.kind === 'refuse') return
    for (const direction of ['toServer', 'toClient'] as const) {
      const lane = link[direction]
      if (mode.kind === 'delay') lane.flow({ delayMs: mode.ms })
      else if (mode.kind === 'pass') lane.flow({})
      else if (mode.direction === undefined || mode.direction === direction) lane.hold()
      else lane.flow({ maxBytes: WINDOW_BYTES })
    }
    if (link.toServer.state !== 'flowing' || link.isConnecting) return
    // Connects only now, since the first packet of a connection would also be lost.
    link.isConnecting = true
    if (!link.server.destroyed) link.server.connect(this.#upstream)
  }
}
