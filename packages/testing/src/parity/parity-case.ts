import { generate, type IConnectPacket } from 'mqtt-packet'
import { until } from '../until.ts'
import { Client, type ClientOptions, type Version } from './client.ts'

export const BROKERS = ['embedded', 'mosquitto'] as const
export type BrokerName = (typeof BROKERS)[number]

/** How a broker differs from the standard, and why this is kept. */
interface Deviation {
  /** The only version in which it differs; if absent, all versions of the case. */
  readonly version?: Version
  readonly observed: string
  readonly why: string
}

/** One test for both brokers. */
export interface ParityCase {
  readonly name: string
  /** A conformance statement or a section of the standard. */
  readonly clause: string
  readonly versions: readonly Version[]
  /** What the standard requires. */
  readonly expected: string
  readonly deviations?: Partial<Record<BrokerName, Deviation>>
  /** What the broker does, in the words of `expected`. */
  readonly observe: (world: World) => Promise<string>
}

/** Of a mistake of a client that should end its connection. */
export const UNNOTICED = {
  mosquitto: { observed: 'stays open', why: 'Mosquitto 2.0.11 does not notice the error' },
} as const

/** mqtt-packet refuses an empty client id without a clean session, which a case must send. */
const CLEAN = 2

/** One broker for one run of one case. */
export class World {
  readonly version: Version
  readonly #port: number
  /** Separates topics and client ids of a run from all others. */
  readonly #prefix: string
  readonly #clients: Client[] = []
  #helper: Promise<Client> | null = null

  constructor(port: number, version: Version, prefix: string) {
    this.#port = port
    this.version = version
    this.#prefix = prefix
  }

  topic(name = 't'): string {
    return `${this.#prefix}/${name}`
  }

  id(name: string): string {
    return `${this.#prefix}-${name}`.replaceAll('/', '-')
  }

  /** A connection without a CONNECT. */
  raw({ silent }: ClientOptions = {}): Client {
    const client = new Client(this.#port, this.version, silent ?? false)
    this.#clients.push(client)
    return client
  }

  /** Sends CONNECT without waiting for the answer, which the case examines. */
  open({ silent, ...options }: ClientOptions = {}): Client {
    const client = this.raw(silent ? { silent } : {})
    const bytes = generate(connectPacket(this.version, { ...options, clean: true }))
    // After the remaining length, the name of the protocol and its level.
    const flagsAt = bytes.indexOf('MQTT') + 5
    if (options.clean === false) bytes[flagsAt] = (bytes[flagsAt] as number) & ~CLEAN
    client.sendBytes(bytes)
    return client
  }

  async connect(options: ClientOptions = {}): Promise<Client> {
    const client = this.open(options)
    await client.wait('connack')
    return client
  }

  /** A durable session: it outlasts its connection in both versions. */
  durable(name: string, options: ClientOptions = {}): Promise<Client> {
    return this.connect({ ...this.durableOptions(name), ...options })
  }

  durableOptions(name: string): ClientOptions {
    const properties = this.version === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}
    return { clientId: this.id(name), clean: false, ...properties }
  }

  /** A client that publishes. */
  helper(): Promise<Client> {
    this.#helper ??= this.connect()
    return this.#helper
  }

  /** Waits: brokers have no clock that a test can move. */
  async pass(ms: number): Promise<void> {
    const startMs = performance.now()
    await until(() => performance.now() - startMs > ms, `${ms} ms pass`)
  }

  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.vanish()))
  }
}

function connectPacket(protocolVersion: Version, options: Partial<IConnectPacket>): IConnectPacket {
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion,
    clientId: options.clientId ?? `p${Math.random().toString(16).slice(2)}`,
    clean: true,
    keepalive: 60,
    ...options,
  }
}

/** A will on this topic. */
export function will(topic: string, extra: object = {}): Pick<IConnectPacket, 'will'> {
  return { will: { topic, payload: Buffer.from('will'), qos: 1, retain: false, ...extra } }
}

/** What the standard requires, or the known deviation from it. */
export function known({ expected, deviations }: ParityCase, broker: BrokerName, version: Version): string {
  const deviation = deviations?.[broker]
  const differs = deviation !== undefined && (deviation.version ?? version) === version
  return differs ? deviation.observed : expected
}
