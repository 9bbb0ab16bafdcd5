import type { BrokerParts } from '../../packages/qs/src/broker/broker-parts.ts'
import { ClientConnection } from '../../packages/qs/src/broker/client-connection.ts'
import { willPublisher } from '../../packages/qs/src/broker/publish-will.ts'
import { Router } from '../../packages/qs/src/broker/router.ts'
import { SessionLimits } from '../../packages/qs/src/broker/session-limits.ts'
import { Sessions } from '../../packages/qs/src/broker/sessions.ts'
import { DEFAULT_IN_FLIGHT } from '../../packages/qs/src/config/default-in-flight.ts'
import { OpenConnections } from '../../packages/qs/src/embedded/broker/open-connections.ts'
import { DirectIntake } from '../../packages/qs/src/intake/direct-intake.ts'
import { ProtocolFault, REASON } from '../../packages/qs/src/mqtt/reasons.ts'
import type { IntakeEvents } from '../../packages/qs/src/pipeline/intake.ts'
import { type DeviceEnd, DeviceLink } from './device-link.ts'
import type { Entrance, Front, Host } from './front.ts'
import { RetainedTopics } from './retained-topics.ts'
import { Wills } from './wills.ts'
import type { Item } from './workload.ts'
import type { World } from './world.ts'

const MAX_PACKET_BYTES = 64 * 1024
const MAX_SESSION_BYTES = 1024 * 1024
const LOOK_MS = 1_000

/** `qs up`: messages come from the connections of the devices. */
export class DirectFront implements Front {
  /** The machine cannot be reached. */
  isAway = false
  readonly links = new Set<DeviceLink>()
  readonly wills: Wills
  readonly retained: RetainedTopics
  readonly #world: World
  #largestBytes = 0
  #connections = 0
  /** The process that listens now. */
  #accept: ((link: DeviceLink) => void) | null = null

  constructor(world: World) {
    this.#world = world
    this.wills = new Wills(world)
    this.retained = new RetainedTopics(world.checker)
  }

  /** Watches how many bytes a message keeps in memory. */
  #measured(events: IntakeEvents): IntakeEvents {
    return {
      ...events,
      onDelivery: (delivery) => {
        const { topic, payload } = delivery
        this.#largestBytes = Math.max(this.#largestBytes, payload.buffer.byteLength + topic.length)
        events.onDelivery(delivery)
      },
    }
  }

  /** @returns null: nobody listens */
  connect(device: DeviceEnd, will: Item | null): DeviceLink | null {
    if (this.isAway || this.#accept === null) return null
    if (will !== null) this.wills.left(will)
    const link = new DeviceLink(`c${++this.#connections}`, this.#world, { device, will })
    this.#accept(link)
    return link
  }

  /** Breaks all connections; what the process holds stays. */
  restart(): void {
    for (const link of this.links) link.cut()
  }

  /** Sessions of `qs up` end with its process, so nothing is saved. */
  save(): void {}

  begin({ config, clock, opened }: Host): Entrance {
    const { tell } = this.#world
    const { IN_FLIGHT_BYTES: bytes, MQTT_EVENTS_TOPIC: topic } = config
    const messages = config.IN_FLIGHT_MESSAGES ?? DEFAULT_IN_FLIGHT.up
    const intake = new DirectIntake({
      highWatermark: { messages, bytes },
      clock,
      maxPayloadBytes: MAX_PACKET_BYTES,
    })
    this.wills.begin(intake)
    this.retained.begin()
    const router = new Router(() => {})
    const limits = new SessionLimits({
      maxBytes: MAX_SESSION_BYTES,
      maxAccountBytes: MAX_SESSION_BYTES,
      maxAllBytes: MAX_SESSION_BYTES,
      onFull: () => {},
    })
    const sessions = new Sessions({ router, limits, clock, maxPerAccount: Number.POSITIVE_INFINITY })
    const connections = new OpenConnections({
      onOpened: ({ clientId }) => tell?.('qs up', `${clientId} is connected`),
      onEnded: ({ clientId }, error) =>
        tell?.('qs up', `${clientId} has left: ${error?.message ?? 'closed'}`),
    })
    const isEvents = (name: string) => topic.deviceIdOf(name) !== null
    const parts: BrokerParts = {
      ...{ sessions, router, clock, intake, connections, isEvents, maxPacketBytes: MAX_PACKET_BYTES },
      rules: OPEN_RULES,
      control: new Map(),
      publishWill: willPublisher({ router, intake, isEvents, clock }),
    }
    const accept = (link: DeviceLink) => {
      const connection = new ClientConnection(link, parts)
      const process = { destroy: () => link.serverDied() }
      connections.add(connection)
      opened.add(process)
      this.links.add(link)
      link.accept({
        receive: (chunk) => connection.receive(chunk),
        drained: () => connection.drained(),
        onClose: () => {
          connection.lost()
          const { dueWill } = link
          if (dueWill !== null) this.wills.due(dueWill)
          connections.remove(connection)
          opened.delete(process)
          this.links.delete(link)
        },
      })
    }
    const shut = () => {
      if (this.#accept === accept) this.#accept = null
    }
    opened.add({ destroy: shut })
    clock.every(LOOK_MS, () => connections.look(clock.monotonicMs()))
    return {
      openSocket: () => Promise.reject(new Error('qs up has no client session')),
      openIntake: (events) =>
        intake.attach(this.#measured(events), {
          isHeard: (name) => router.isHeard(name),
          publish: (name, payload, qos) =>
            router.publish({
              ...{ topic: name, payload, qos, retain: false, forwarded: NOTHING },
              ...{ from: null, expiresAtMs: null },
            }),
        }),
      // Nothing is taken at twice the watermark; the last message may exceed it, with the read that it is part of.
      bound: () => ({ messages, bytes: bytes + this.#largestBytes }),
      open: () => {
        this.#accept = accept
      },
      shut,
      stop: () => {
        connections.closeAll(new ProtocolFault(REASON.shuttingDown, 'the broker stops'))
        sessions.stop()
      },
    }
  }
}

const NOTHING = Buffer.alloc(0)

const OPEN_RULES: BrokerParts['rules'] = {
  login: async () => ({ reason: REASON.success, account: 'device' }),
  revision: 0,
  mayPublish: () => true,
  maySubscribe: () => true,
  mayReceive: () => true,
  published: () => 0,
  charge: () => 0,
  refused: () => {},
}
