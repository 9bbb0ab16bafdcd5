import Type, { type Static } from 'typebox'
import { DeviceSchema, ReadingSchema } from './devices.ts'
import { Moment } from './moment.ts'
import { Nullable } from './nullable.ts'
import { PinnedReadingSchema } from './pinned.ts'
import { StorageSchema } from './storage.ts'

const MinuteSchema = Type.Object({
  minute: Moment,
  stored: Type.Integer(),
  duplicate: Type.Integer(),
  rejected: Type.Integer(),
})

const DeviceNoteSchema = Type.Object({
  deviceId: Type.String(),
  label: Nullable(Type.String()),
  lastSeen: Nullable(Moment),
  firstSeen: Nullable(Moment),
})

/** A device with a few of its readings. */
const LatestSchema = Type.Object({
  ...Type.Pick(DeviceSchema, ['deviceId', 'label', 'room', 'status', 'moreReadings']).properties,
  readings: Type.Array(Type.Pick(ReadingSchema, ['eventType', 'valueNum', 'valueText', 'unit', 'ts'])),
})

export const OverviewSchema = Type.Object({
  now: Moment,
  house: Type.Object({
    pinned: Type.Array(PinnedReadingSchema, { description: 'At most 24' }),
    latest: Type.Array(LatestSchema, {
      description: 'The first 12 devices by name, each with up to 4 values',
    }),
  }),
  eventsPerSecond: Type.Number({ description: 'Events stored' }),
  rateSeconds: Type.Integer({ description: 'Seconds over which the rate is measured' }),
  minutes: Type.Array(MinuteSchema, { description: 'The last hour, by minute of commit' }),
  commitMs: Type.Object({
    p50: Nullable(Type.Number()),
    p95: Nullable(Type.Number()),
    history: Type.Array(Type.Object({ at: Moment, p95: Nullable(Type.Number()) })),
  }),
  inFlight: Nullable(
    Type.Object(
      { messages: Type.Integer(), bytes: Type.Integer() },
      { description: 'Received and not yet committed; null: the ingester is another process' },
    ),
  ),
  broker: Type.Object({
    connected: Type.Boolean({ description: 'Whether this process is connected' }),
    paused: Type.Boolean({ description: 'At the high watermark: reading is paused' }),
    waiting: Nullable(
      Type.Integer({
        description: 'Messages that the broker keeps for sessions, including those in flight; null: unknown',
      }),
    ),
  }),
  alarms: Type.Array(Type.Object({ name: Type.String(), text: Type.String() })),
  devices: Type.Object({
    total: Type.Integer(),
    online: Type.Integer(),
    quiet: Type.Integer({ description: 'No event for fifteen minutes, and no known rhythm' }),
    silentTotal: Type.Integer({ description: 'No event for longer than their rhythm allows' }),
    silent: Type.Array(DeviceNoteSchema, { description: 'Up to 20, last seen first' }),
    silentSeriesTotal: Type.Integer({ description: 'Silent series of devices that are not silent' }),
    silentSeries: Type.Array(
      Type.Object({
        deviceId: Type.String(),
        eventType: Type.String(),
        label: Nullable(Type.String()),
        lastSeen: Moment,
      }),
      { description: 'Up to 20, last seen first' },
    ),
    freshTotal: Type.Integer({ description: 'First seen in the last 24 hours' }),
    fresh: Type.Array(DeviceNoteSchema, { description: 'Up to 20, newest first' }),
  }),
  letters: Type.Object({
    open: Type.Integer({ description: 'Counted up to 1,000' }),
    lastHour: Type.Integer(),
    newest: Type.Array(
      Type.Object({
        id: Type.String(),
        receivedAt: Moment,
        deviceId: Nullable(Type.String()),
        code: Type.String(),
        error: Type.String(),
      }),
    ),
  }),
  storage: Type.Object({
    databaseBytes: Type.Number(),
    ...Type.Pick(StorageSchema, ['disk', 'growth', 'lasts']).properties,
  }),
})

export type Overview = Static<typeof OverviewSchema>
export type DeviceNote = Static<typeof DeviceNoteSchema>
