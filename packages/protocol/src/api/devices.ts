import Type, { type Static } from 'typebox'
import { Moment } from './moment.ts'
import { Nullable } from './nullable.ts'

export const ReadingSchema = Type.Object({
  eventType: Type.String(),
  valueNum: Nullable(Type.Number()),
  valueText: Nullable(Type.String()),
  unit: Nullable(Type.String()),
  ts: Moment,
  everySeconds: Nullable(Type.Number({ description: 'The usual time between two events' })),
  isSilent: Type.Boolean({
    description: 'No event for longer than its rhythm allows, while the device sent other types',
  }),
})

/** absent: sends no time. unreadable: not a valid time. implausible: such as 1970. off: by more than a minute. */
export const DeviceClockSchema = Type.Union([
  Type.Literal('good'),
  Type.Literal('off'),
  Type.Literal('implausible'),
  Type.Literal('unreadable'),
  Type.Literal('absent'),
  Type.Literal('unknown'),
])

const SilentAfterSchema = Type.Union([Type.Number({ minimum: 1 }), Type.Literal('never'), Type.Null()], {
  description: 'Seconds without an event after which the device is silent; null: by its rhythm',
})

export const DeviceStatusSchema = Type.Union(
  [
    Type.Literal('online'),
    Type.Literal('silent'),
    Type.Literal('quiet'),
    Type.Literal('never'),
    Type.Literal('archived'),
  ],
  {
    description:
      'silent: no event for longer than its rhythm allows. quiet: no event for fifteen minutes, and no known rhythm. never: no event yet. archived: no event since somebody archived it; lists leave it out unless asked for this status',
  },
)

export const DeviceSortSchema = Type.Union(
  [
    Type.Literal('name'),
    Type.Literal('room'),
    Type.Literal('seen'),
    Type.Literal('quiet'),
    Type.Literal('clock'),
    Type.Literal('types'),
  ],
  {
    description:
      'By label or id; by room, then name; last seen first; longest quiet first; largest clock offset first; most types first',
  },
)

export const DeviceSchema = Type.Object({
  deviceId: Type.String(),
  label: Nullable(Type.String()),
  timeZone: Nullable(Type.String({ description: 'IANA name; null: DEVICE_TIMEZONE' })),
  room: Nullable(Type.String({ description: 'Location of the device' })),
  notes: Nullable(Type.String()),
  archivedAt: Nullable(
    Type.String({ description: 'When it was archived, also if an event has brought it back since' }),
  ),
  firstSeen: Nullable(Moment),
  lastSeen: Nullable(Moment),
  status: DeviceStatusSchema,
  silentAfter: Nullable(
    Type.Number({ description: 'Seconds without an event that its rhythm allows; null: no known rhythm' }),
  ),
  silentAfterSet: SilentAfterSchema,
  clock: DeviceClockSchema,
  offsetSeconds: Nullable(
    Type.Number({
      description:
        'Device time minus server time of the freshest event; negative: it is behind, or the event waited',
    }),
  ),
  readings: Type.Array(ReadingSchema, {
    description: 'The latest of each type; in a list of devices, only of the first types by name',
  }),
  types: Type.Integer({ description: 'Number of types it has sent; counted up to 1,000' }),
  moreReadings: Type.Integer({ description: 'Types that are not among the readings' }),
})

export const DeviceGapsSchema = Type.Object({
  missing: Nullable(
    Type.Integer({
      description: 'Numbers that never came between those that did; null: the numbers do not count up by one',
    }),
  ),
  gaps: Type.Integer({ description: 'How many gaps they make' }),
  completeSince: Nullable(
    Type.String({
      description:
        'Event time of the first event after the newest gap, or of the first of all; null: its ids have no numbers',
    }),
  ),
  reportedLost: Nullable(
    Type.Number({
      description: 'How many events the device says it lost (events_lost); null: it does not say',
    }),
  ),
  list: Type.Array(
    Type.Object({
      epoch: Type.String({ description: 'What stands between device and number in the ids' }),
      first: Type.Integer(),
      last: Type.Integer(),
      after: Type.String({ description: 'Event time of the last event before the gap' }),
      before: Type.String({ description: 'Event time of the first event after it' }),
    }),
    { description: 'The newest, at most 100' },
  ),
})

export const DeviceListSchema = Type.Object({
  devices: Type.Array(DeviceSchema),
  total: Type.Integer({ description: 'Devices that match, on all pages' }),
  next: Nullable(Type.String({ description: '`after` of the next page; null on the last page' })),
})

export const RoomListSchema = Type.Object({
  rooms: Type.Array(Type.Object({ room: Type.String(), devices: Type.Integer() })),
})

export const TypeListSchema = Type.Object({ types: Type.Array(Type.String()) })

export const SparklinesSchema = Type.Object({
  from: Moment,
  to: Moment,
  lines: Type.Array(
    Type.Object({
      deviceId: Type.String(),
      eventType: Type.String(),
      means: Type.Array(Nullable(Type.Number()), { description: 'One per bucket of equal length' }),
    }),
  ),
})

export const DeviceChangeSchema = Type.Object({
  label: Type.Optional(Nullable(Type.String({ maxLength: 200 }))),
  timeZone: Type.Optional(Nullable(Type.String({ maxLength: 64 }))),
  room: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 100 }))),
  notes: Type.Optional(Nullable(Type.String({ maxLength: 4_000 }))),
  isArchived: Type.Optional(Type.Boolean()),
  silentAfter: Type.Optional(SilentAfterSchema),
})

export const NewDeviceSchema = Type.Object({ deviceId: Type.String({ minLength: 1, maxLength: 512 }) })

export const DeviceLoginSchema = Type.Object({
  deviceId: Type.String(),
  password: Nullable(Type.String({ description: 'Shown only once; null: the broker requires none' })),
  host: Type.String(),
  port: Type.Integer(),
  tls: Type.Boolean(),
  eventsTopic: Type.String(),
  acksTopic: Type.String(),
  snippets: Type.Record(Type.String(), Type.String()),
  qr: Type.Object(
    {
      size: Type.Integer({ description: 'Width and height in modules, with the border' }),
      path: Type.String({ description: 'Its dark modules, as the `d` of an SVG path' }),
    },
    { description: 'The QR code of this login, with its password' },
  ),
})

export const ClockAdviceSchema = Type.Object({
  hoursAhead: Type.Number({
    description:
      'Hours by which times that it sends without an offset are ahead, if that looks like a wrong zone; else 0',
  }),
  zoneMinutes: Nullable(
    Type.Integer({ description: 'Minutes by which its local time is ahead of UTC; null: it sends none' }),
  ),
  hasOldTimes: Type.Boolean({
    description: 'Whether some of its oldest events were read in another zone than the one it has now',
  }),
})

export const DeviceCsvSchema = Type.Object({
  csv: Type.String({
    minLength: 1,
    maxLength: 200_000,
    description: 'Lines of device_id, label, room, time_zone, notes; a first line may name the columns',
  }),
})

export const AddedDevicesSchema = Type.Object({
  devices: Type.Array(
    Type.Object({
      label: Nullable(Type.String()),
      room: Nullable(Type.String()),
      login: DeviceLoginSchema,
    }),
  ),
  existing: Type.Array(Type.String(), {
    description: 'Devices that had an account already; their passwords cannot be read',
  }),
})

export const DeviceRemovalSchema = Type.Object({
  events: Type.Integer({ description: 'Number of events deleted' }),
  account: Type.Union([Type.Literal('removed'), Type.Literal('none'), Type.Literal('made-elsewhere')], {
    description: 'made-elsewhere: this console may not remove it, so the device can come back',
  }),
})

export type Device = Static<typeof DeviceSchema>
export type DeviceGaps = Static<typeof DeviceGapsSchema>
export type DeviceStatus = Static<typeof DeviceStatusSchema>
export type DeviceClock = Static<typeof DeviceClockSchema>
export type DeviceSort = Static<typeof DeviceSortSchema>
export type Reading = Static<typeof ReadingSchema>
export type DeviceList = Static<typeof DeviceListSchema>
export type RoomList = Static<typeof RoomListSchema>
export type TypeList = Static<typeof TypeListSchema>
export type Sparklines = Static<typeof SparklinesSchema>
export type AddedDevices = Static<typeof AddedDevicesSchema>
export type ClockAdvice = Static<typeof ClockAdviceSchema>
export type DeviceRemoval = Static<typeof DeviceRemovalSchema>
export type DeviceLoginAnswer = Static<typeof DeviceLoginSchema>
