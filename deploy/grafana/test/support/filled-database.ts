import type { TestContext } from 'node:test'
import { brokenOf, isOnline, reportOf, traitsOf, type World } from '@qs-telemetry/device'
import { DEFAULT_LIMITS, EventTopic } from '@qs-telemetry/protocol'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { connect } from '../../../../packages/qs/src/database/connect.ts'
import { decodeMessage } from '../../../../packages/qs/src/decode/decode-message.ts'
import type { Message } from '../../../../packages/qs/src/pipeline/message.ts'
import { CopyProspects } from '../../../../packages/qs/src/sink/copy-prospects.ts'
import { gather } from '../../../../packages/qs/src/sink/gather.ts'
import { writeBatch } from '../../../../packages/qs/src/sink/write-batch.ts'

const HOUR_MS = 3_600_000
const INTERVAL_MS = 240_000
const DEVICES = 10
/** A legal device id that breaks every query without quoting. */
export const AWKWARD_DEVICE = "o'brien"
/** An event type that does the same. */
export const AWKWARD_TYPE = "temp'; drop table events; --"

const decodeOptions = {
  topic: new EventTopic('qs/v1/+/events'),
  limits: DEFAULT_LIMITS,
  eventIdRule: 'any' as const,
  clockTrust: { maxPastMs: 90 * 24 * HOUR_MS, maxFutureMs: HOUR_MS },
  timeZoneOf: () => 'America/Los_Angeles',
}

/**
 * A database with the real schema and the last day of ten simulated devices, written by the real decoder and sink:
 * offline phases with backlogs, clocks that drift or start in 1970, broken messages, some sent twice.
 */
export async function filledDatabase(t: TestContext): Promise<string> {
  const url = await migratedDatabase(t)
  const connection = await connect({ url, name: 'fill', connectTimeoutMs: 5_000 })
  try {
    const messages = [...simulated(), awkward(), windowContact()]
    const now = new Date().toISOString()
    const context = { writer: 'test/1', isRetry: false, prospects: new CopyProspects(), nowMs: 0 }
    await writeBatch(connection, gather(messages, null, now), { ...context, devices: seen(messages) })
    // A network fault: the device acks were lost, so the devices resend.
    await writeBatch(connection, gather(messages.slice(-40), null, now), { ...context, devices: [] })
  } finally {
    connection.destroy()
  }
  return url
}

function simulated(): readonly Message[] {
  const nowMs = Date.now()
  const world: World = {
    seed: 4,
    startMs: nowMs - 24 * HOUR_MS,
    intervalMs: INTERVAL_MS,
    timeZone: 'America/Los_Angeles',
    devicePrefix: 'sim-',
    faults: { offline: 0.4, epoch1970: 0.4, drifting: 0.5, clockless: 0, broken: 0.02 },
  }
  const ticks = Math.floor((24 * HOUR_MS) / INTERVAL_MS) - 1
  const messages: Message[] = []
  for (let index = 0; index < DEVICES; index++) {
    const { deviceId, phaseMs } = traitsOf(world, index)
    let backlog: unknown[] = []
    for (let tick = 0; tick < ticks; tick++) {
      const receivedMs = world.startMs + tick * INTERVAL_MS + phaseMs + 40
      const broken = brokenOf(world, index, tick)
      if (broken !== null) messages.push(message(deviceId, broken, receivedMs))
      backlog.push(...reportOf(world, index, tick))
      if (!isOnline(world, index, tick) && tick < ticks - 1) continue
      messages.push(message(deviceId, JSON.stringify(backlog), receivedMs))
      backlog = []
    }
  }
  return messages
}

function awkward(): Message {
  const events = [2, 1].flatMap((minutesAgo) => {
    const event = { schema: 1, device_id: AWKWARD_DEVICE, ts_device: Date.now() - minutesAgo * 60_000 }
    return [
      { ...event, event_id: `awkward-n-${minutesAgo}`, event_type: AWKWARD_TYPE, value: 1, unit: "'" },
      {
        ...event,
        event_id: `awkward-t-${minutesAgo}`,
        event_type: 'log',
        value: "it's",
        meta: { "k'": "v'" },
      },
    ]
  })
  return message(
    AWKWARD_DEVICE,
    JSON.stringify([
      ...events,
      { event_id: 'unreadable', schema: 1, device_id: AWKWARD_DEVICE, event_type: 'x', ts_device: 'soon' },
    ]),
    Date.now(),
  )
}

/** A contact of `sim-0001` that sends `true` and `false`, without a unit. */
function windowContact(): Message {
  const events = [3, 2, 1].map((hoursAgo) => ({
    schema: 1,
    event_id: `window-${hoursAgo}`,
    device_id: 'sim-0001',
    event_type: 'window',
    ts_device: Date.now() - hoursAgo * HOUR_MS,
    value: hoursAgo !== 2,
  }))
  return message('sim-0001', JSON.stringify(events), Date.now())
}

function message(deviceId: string, payload: string, receivedMs: number): Message {
  const delivery = {
    topic: `qs/v1/${deviceId}/events`,
    payload: Buffer.from(payload),
    redelivered: false,
    receivedAt: { epochMs: receivedMs, micros: 0 },
    settle: () => {},
  }
  return decodeMessage(delivery, decodeOptions)
}

function seen(messages: readonly Message[]) {
  const times = new Map<string, { firstSeen: string; lastSeen: string }>()
  for (const { deviceId, tsServer } of messages) {
    if (deviceId === null) continue
    const known = times.get(deviceId)
    times.set(deviceId, { firstSeen: known?.firstSeen ?? tsServer, lastSeen: tsServer })
  }
  return [...times].map(([deviceId, each]) => ({ deviceId, ...each }))
}
