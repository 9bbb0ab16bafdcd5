import assert from 'node:assert/strict'
import { instantFromMs } from '@qs-telemetry/protocol'
import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet'
import type { BrokerParts, Client } from '../../src/broker/broker-parts.ts'
import { ClientConnection } from '../../src/broker/client-connection.ts'
import type { Link } from '../../src/broker/link.ts'
import { Router } from '../../src/broker/router.ts'
import type { Rules } from '../../src/broker/rules.ts'
import { SessionLimits } from '../../src/broker/session-limits.ts'
import { Sessions } from '../../src/broker/sessions.ts'
import { REASON } from '../../src/mqtt/reasons.ts'
import type { Clock } from '../../src/pipeline/clock.ts'

/** A clock that stands until `pass`. */
export class StandingClock implements Clock {
  #nowMs = 0
  #timers: { readonly atMs: number; readonly act: () => void }[] = []

  now() {
    return instantFromMs(1_700_000_000_000 + this.#nowMs)
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(ms: number, act: () => void) {
    const timer = { atMs: this.#nowMs + ms, act }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  every() {
    return () => {}
  }

  pass(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (;;) {
      const [next] = this.#timers.filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#nowMs = next.atMs
      next.act()
    }
    this.#nowMs = untilMs
  }
}

export interface PureClient {
  readonly got: Packet[]
  readonly isClosed: boolean
  readonly isPaused: boolean
  /** Bytes that the network does not take; the client then gets nothing. */
  stuckBytes: number
  send(...packets: readonly Packet[]): Promise<void>
  sendBytes(bytes: Buffer): Promise<void>
  /** The network breaks. */
  vanish(): Promise<void>
  /** The network takes what it holds. */
  drain(): Promise<void>
  of<C extends Packet['cmd']>(cmd: C): readonly Extract<Packet, { cmd: C }>[]
}

/** Until everything that is due has happened, also what one drain makes due. */
const turn = async () => {
  for (let n = 0; n < 5; n++) await new Promise<void>((resolve) => setImmediate(resolve))
}

export interface PureOptions {
  readonly maxPerAccount?: number
  readonly mayReceive?: (clientId: string) => boolean
  readonly login?: Rules['login']
  readonly onOpened?: (client: Client) => void
  /** For how long a client is not read after a packet that counts as this many messages. */
  readonly chargeMs?: (messages: number) => number
}

/** The broker as state: clients are links in memory, and time stands until the test lets it pass. */
export function pureBroker(options: PureOptions = {}) {
  const clock = new StandingClock()
  const full: string[] = []
  const refusals: string[] = []
  const limits = new SessionLimits({
    maxBytes: 100_000,
    maxAccountBytes: 500_000,
    maxAllBytes: 1_000_000,
    onFull: (clientId) => full.push(clientId),
  })
  const unretained: string[] = []
  const router = new Router(({ topic }) => unretained.push(topic))
  const maxPerAccount = options.maxPerAccount ?? Number.POSITIVE_INFINITY
  const sessions = new Sessions({ router, limits, clock, maxPerAccount })
  const open = new Map<string, Client>()
  const all = new Set<ClientConnection>()
  const parts: BrokerParts = {
    ...{ sessions, router, clock, maxPacketBytes: 1_000_000, intake: null, isEvents: () => false },
    rules: {
      login:
        options.login ??
        (async (_peer, { username }) => ({
          ...{ reason: REASON.success, account: username ?? 'a', ownsId: username === 'owner' },
        })),
      revision: 0,
      mayPublish: () => true,
      maySubscribe: () => true,
      mayReceive: ({ clientId }) => options.mayReceive?.(clientId) ?? true,
      published: () => 0,
      charge: (_peer, { messages }) => options.chargeMs?.(messages) ?? 0,
      refused: (_peer, what) => refusals.push(what),
    },
    control: new Map(),
    publishWill: (message) => router.publish(message),
    connections: {
      get: (clientId) => open.get(clientId),
      opened: (client) => {
        open.set(client.clientId, client)
        options.onOpened?.(client)
      },
      ended: (client) => {
        if (open.get(client.clientId) === client) open.delete(client.clientId)
      },
    },
  }

  const connect = async (
    clientId: string,
    options: Partial<IConnectPacket> = {},
    version: 4 | 5 = 5,
  ): Promise<PureClient> => {
    const got: Packet[] = []
    const reader = parser({ protocolVersion: version })
    reader.on('packet', (packet) => got.push(packet))
    reader.on('error', (error) => assert.fail(error))
    const state = { isClosed: false, isPaused: false, stuckBytes: 0, taken: 0 }
    let held: Buffer[] = []
    const link: Link = {
      address: '',
      get waitingBytes() {
        return state.stuckBytes + held.reduce((sum, { length }) => sum + length, 0)
      },
      get taken() {
        return state.taken
      },
      write: (bytes) => {
        if (state.stuckBytes > 0) {
          held.push(bytes)
          return false
        }
        state.taken += bytes.length
        reader.parse(bytes)
        return true
      },
      pause: () => {
        state.isPaused = true
      },
      resume: () => {
        state.isPaused = false
      },
      opened: () => {},
      end: () => {
        state.isClosed = true
      },
      destroy: () => {
        state.isClosed = true
      },
    }
    const connection = new ClientConnection(link, parts)
    all.add(connection)
    const client: PureClient = {
      got,
      get isClosed() {
        return state.isClosed
      },
      get isPaused() {
        return state.isPaused
      },
      get stuckBytes() {
        return state.stuckBytes
      },
      set stuckBytes(bytes) {
        state.stuckBytes = bytes
      },
      send: async (...packets) => {
        for (const packet of packets) connection.receive(generate(packet, { protocolVersion: version }))
        await turn()
      },
      sendBytes: async (bytes) => {
        connection.receive(bytes)
        await turn()
      },
      vanish: async () => {
        connection.lost()
        await turn()
      },
      drain: async () => {
        state.stuckBytes = 0
        const bytes = held
        held = []
        for (const each of bytes) link.write(each)
        connection.drained()
        await turn()
      },
      of: <C extends Packet['cmd']>(cmd: C) =>
        got.filter((packet): packet is Extract<Packet, { cmd: C }> => packet.cmd === cmd),
    }
    await client.send({
      ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: version, clientId },
      ...{ clean: true, keepalive: 0 },
      ...options,
    })
    return client
  }
  const look = () => {
    for (const connection of all) connection.look(clock.monotonicMs())
  }
  return { clock, limits, sessions, router, full, refusals, unretained, connect, look }
}

export const lasting = (seconds: number, extra: object = {}): Partial<IConnectPacket> => ({
  clean: false,
  properties: { sessionExpiryInterval: seconds, ...extra },
})

export const publish = (topic: string, payload: string, options: object = {}): Packet => ({
  ...{ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false },
  ...options,
})

export const subscribe = (topic: string, options: object = {}, properties: object = {}): Packet => ({
  ...{ cmd: 'subscribe', messageId: 1, properties },
  subscriptions: [{ topic, qos: 1, ...options }],
})

/** What a client received, as `topic payload`. */
export const received = (client: PureClient): readonly string[] =>
  client.of('publish').map(({ topic, payload }) => `${topic} ${payload}`)
