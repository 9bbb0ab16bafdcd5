import { ackFor, ackTopic, type DeviceAck } from '@qs-telemetry/protocol'
import type { MqttClient } from 'mqtt'
import type { Config } from '../config/settings.ts'
import { brokerError } from '../endpoints/broker-error.ts'
import { brokerOptions } from '../endpoints/broker-options.ts'
import { connectOnce } from '../endpoints/connect-once.ts'
import { QsError } from '../errors/qs-error.ts'
import type { AckInbox, ReplayMessage } from './replay-letter.ts'

interface Waiting {
  readonly ids: ReadonlySet<string>
  readonly missing: Set<string>
  readonly acks: DeviceAck[]
  readonly done: (acks: readonly DeviceAck[] | null) => void
  readonly ended: Promise<unknown>
}

const CONNECT_TIMEOUT_MS = 5_000

/**
 * Publishes events for devices and receives their device acks, as the operator: with its own client, so that no device
 * loses its session. Uses MQTT 3.1.1, which every broker supports. Connects at the first replay; after a failure, tries
 * again at the next one.
 */
export class BrokerInbox implements AckInbox {
  readonly keepsReceiveTime = false
  readonly #config: Config
  #client: Promise<MqttClient> | null = null
  readonly #subscribed = new Map<string, Promise<void>>()
  readonly #waiting = new Map<string, Set<Waiting>>()

  constructor(config: Config) {
    this.#config = config
  }

  /**
   * Publishes a payload to the events topic of a device, and waits for the device acks of its events.
   *
   * @returns null if they did not all come in time
   * @throws QsError if the broker cannot be reached, or refuses the subscription to the ack topic
   */
  async publish(
    { deviceId, topic, payload }: ReplayMessage,
    { eventIds, timeoutMs }: { readonly eventIds: readonly string[]; readonly timeoutMs: number },
  ): Promise<readonly DeviceAck[] | null> {
    const client = await this.#connected()
    const acks = ackTopic(this.#config.ACK_TEMPLATE, deviceId)
    await this.#subscribe(client, acks)
    const all = this.#waiting.get(acks) ?? new Set()
    this.#waiting.set(acks, all)
    // A device ack names an event and not a message, so messages with the same event id go one after the other.
    for (let same = findSame(all, eventIds); same !== undefined; same = findSame(all, eventIds))
      await same.ended

    let done: (acks: readonly DeviceAck[] | null) => void = () => {}
    const ended = new Promise<readonly DeviceAck[] | null>((resolve) => {
      done = resolve
    })
    const waiting: Waiting = { ids: new Set(eventIds), missing: new Set(eventIds), acks: [], done, ended }
    all.add(waiting)
    const timer = setTimeout(() => done(null), timeoutMs)
    try {
      const published = client.publishAsync(topic, payload, { qos: 1 }).catch(({ message }: Error) => {
        throw new QsError('BROKER_NO_ANSWER', `The broker did not take the message: ${message}`)
      })
      return await Promise.race([ended, published.then(() => ended)])
    } finally {
      clearTimeout(timer)
      all.delete(waiting)
      done(null)
    }
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => null)
    this.#client = null
    this.#subscribed.clear()
    await client?.endAsync(true)
  }

  #connected(): Promise<MqttClient> {
    this.#client ??= this.#connect().catch((error) => {
      this.#client = null
      throw error
    })
    return this.#client
  }

  async #connect(): Promise<MqttClient> {
    const { url, mqtt: tls, ...credentials } = brokerOptions(this.#config)
    try {
      const options = {
        protocolVersion: 4 as const,
        connectTimeout: CONNECT_TIMEOUT_MS,
        reconnectPeriod: 1_000,
      }
      const client = await connectOnce(url, { ...tls, ...credentials, ...options })
      // mqtt.js reconnects; a missed device ack ends in the timeout.
      client.on('error', () => {})
      client.on('message', (topic, payload) => this.#hear(topic, payload))
      return client
    } catch (error) {
      throw brokerError(url, error)
    }
  }

  #subscribe(client: MqttClient, topic: string): Promise<void> {
    const known = this.#subscribed.get(topic)
    if (known !== undefined) return known
    const subscribed = client.subscribeAsync(topic, { qos: 1 }).then(
      () => {},
      (error: Error) => {
        throw whySubscribing(topic, error)
      },
    )
    this.#subscribed.set(topic, subscribed)
    // The permissions may be corrected before the next replay.
    subscribed.catch(() => this.#subscribed.delete(topic))
    return subscribed
  }

  #hear(topic: string, payload: Buffer): void {
    for (const ack of ackFor(payload) ?? []) {
      for (const waiting of this.#waiting.get(topic) ?? []) {
        if (ack.event_id === null || !waiting.missing.delete(ack.event_id)) continue
        waiting.acks.push(ack)
        if (waiting.missing.size === 0) waiting.done(waiting.acks)
      }
    }
  }
}

function findSame(all: ReadonlySet<Waiting>, eventIds: readonly string[]): Waiting | undefined {
  return [...all].find(({ ids }) => eventIds.some((id) => ids.has(id)))
}

function whySubscribing(topic: string, error: Error): QsError {
  // With the SUBACK, where the broker has sent one.
  return 'packet' in error
    ? new QsError('BROKER_FORBIDS', `The broker does not allow this user to read the device acks on ${topic}`)
    : new QsError(
        'BROKER_NO_ANSWER',
        `The broker did not answer a subscription to ${topic}: ${error.message}`,
      )
}
