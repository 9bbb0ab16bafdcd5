import Type, { type Static } from 'typebox'
import { Moment } from './moment.ts'
import { Nullable } from './nullable.ts'

const Bytes = Type.Number({ minimum: 0 })

export const StorageSchema = Type.Object(
  {
    parts: Type.Array(Type.Object({ name: Type.String(), bytes: Bytes, about: Type.String() }), {
      description: 'What uses the disk, largest first',
    }),
    events: Type.Object({
      rows: Type.Number({ description: 'In the table events; an estimate of PostgreSQL' }),
      sealed: Type.Number({ description: 'In segments' }),
      bytesPerRow: Type.Number({ description: 'With indexes, without the space that sealed rows left free' }),
      bytesPerSealed: Nullable(Type.Number({ description: 'null: nothing is sealed' })),
    }),
    growth: Nullable(
      Type.Object(
        {
          eventsPerDay: Type.Number({ description: 'Stored in the last week, a day' }),
          bytesPerDay: Type.Number({ description: 'Now' }),
          laterBytesPerDay: Type.Number({
            description:
              'Once as many events are sealed, and deleted by KEEP_EVENTS, each day as arrive; the same where none are',
          }),
        },
        { description: 'null: unknown, as the first event arrived less than an hour ago' },
      ),
    ),
    disk: Nullable(
      Type.Object({ freeBytes: Bytes, totalBytes: Bytes }, { description: 'null: on another machine' }),
    ),
    lasts: Nullable(
      Type.Object(
        { days: Type.Number(), until: Moment },
        { description: 'null: unknown, or longer than a hundred years' },
      ),
    ),
    sealing: Nullable(
      Type.Object(
        {
          horizon: Nullable(Moment),
          walkedAt: Nullable(Moment),
          deleted: Nullable(
            Type.Object(
              { events: Type.Number(), upTo: Moment },
              { description: 'For lack of space (KEEP_FREE), up to this event time. null: none' },
            ),
          ),
        },
        {
          description:
            'Events before the horizon are sealed; walkedAt: when all series had their turn last. null: this database has none',
        },
      ),
    ),
    settings: Type.Array(Type.Object({ name: Type.String(), value: Type.String(), from: Type.String() }), {
      description:
        'Of PostgreSQL. from: tuned (by qs), set (by the operator), configured (by one of both: this role may not see which), or default',
    }),
    advice: Type.Array(Type.String()),
  },
  { description: 'What uses the disk, and how long it lasts' },
)

export type Storage = Static<typeof StorageSchema>
