import { Socket } from 'node:net'
import { ackTopic, DEFAULT_TOPICS, type DeviceAck, EventTopic, readEventId } from '@qs-telemetry/protocol'
import mqtt from 'mqtt'

/** Answers one delivery: the device ack as a JSON value, or null for no answer. */
export type Judge = (delivery: FakeDelivery) => unknown

export interface FakeDelivery {
  readonly deviceId: string
  readonly payload: Buffer
  /** The device ack that the contract demands. */
  readonly deviceAck: unknown
  /** Deliveries of the device before this one. */
  readonly earlier: number
}

export interface FakeIngester {
  /** JSON of every event by id, as first received. */
  readonly stored: ReadonlyMap<string, string>
  /** Events of each delivery, in order; 0 if it could not be read. */
  readonly sizes: readonly number[]
  judge: Judge
  stop(): Promise<void>
}

const TOPIC = new EventTopic(DEFAULT_TOPICS.events)

/** Sends device acks by the contract, from memory, unless `judge` decides otherwise. */
export async function startFakeIngester(
  url: string,
  judge: Judge = ({ deviceAck }) => deviceAck,
): Promise<FakeIngester> {
  const stored = new Map<string, string>()
  const sizes: number[] = []
  const deliveries = new Map<string, number>()
  const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 50 })
  const ingester = { stored, sizes, judge, stop: () => client.endAsync(true) }
  client.on('message', (topic, payload) => {
    const deviceId = TOPIC.deviceIdOf(topic) ?? ''
    const earlier = deliveries.get(deviceId) ?? 0
    deliveries.set(deviceId, earlier + 1)
    const { deviceAck, keep } = decide(payload, deviceId, stored)
    sizes.push(Array.isArray(deviceAck) ? deviceAck.length : keep.length)
    const answer = ingester.judge({ deviceId, payload, deviceAck, earlier })
    if (answer === null) return
    // A device ack without id means that nothing could be read, so nothing is stored.
    if (!isUnnamed(answer)) for (const [id, json] of keep) stored.set(id, json)
    client.publish(ackTopic(DEFAULT_TOPICS.acks, deviceId), JSON.stringify(answer))
  })
  client.on('error', () => {})
  const subscribed = new Promise<void>((resolve, reject) => {
    client.on('connect', () => {
      if (client.stream instanceof Socket) client.stream.setNoDelay(true)
      client.subscribe(DEFAULT_TOPICS.events, { qos: 1 }, (error) => (error ? reject(error) : resolve()))
    })
  })
  await subscribed
  return ingester
}

function decide(payload: Buffer, deviceId: string, stored: ReadonlyMap<string, string>) {
  const keep: [string, string][] = []
  const decideOne = (event: Record<string, unknown>): DeviceAck => {
    const id = typeof event.event_id === 'string' ? event.event_id : null
    const ok = id !== null && event.device_id === deviceId && typeof event.event_type === 'string'
    if (!ok || typeof event.value === 'object') return rejected(id, 'INVALID_FIELD')
    const json = JSON.stringify(event)
    const before = stored.get(id)
    if (before !== undefined && before !== json) return rejected(id, 'EVENT_ID_CONFLICT')
    keep.push([id, json])
    return {
      event_id: id,
      status: before === undefined ? 'stored' : 'duplicate',
      ts_server: '2026-11-23T18:00:00.123456Z',
    }
  }
  try {
    const parsed = JSON.parse(payload.toString())
    return { deviceAck: Array.isArray(parsed) ? parsed.map(decideOne) : decideOne(parsed), keep }
  } catch {
    return { deviceAck: rejected(readEventId(payload), 'INVALID_JSON'), keep }
  }
}

export function rejected(eventId: string | null, code: string): DeviceAck {
  return { event_id: eventId, status: 'rejected', error: { code, message: code } }
}

function isUnnamed(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'event_id' in answer && answer.event_id === null
}
