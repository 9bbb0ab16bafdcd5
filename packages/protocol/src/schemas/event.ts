import Type, { type Static } from 'typebox'
import { CONTRACT_VERSION } from '../contract-version.ts'
import { DEFAULT_LIMITS } from '../limits.ts'

const id = (description: string) =>
  Type.String({ minLength: 1, maxLength: DEFAULT_LIMITS.idBytes, description })

/**
 * One event as a device sends it. Published as docs/reference/event.schema.json.
 *
 * JSON Schema counts characters where the limits count bytes of UTF-8, so for text beyond ASCII the limits of
 * the ingester are stricter.
 */
export const EventSchema = Type.Object(
  {
    schema: Type.Literal(CONTRACT_VERSION, { description: 'Version of this contract' }),
    event_id: id('Identity of the event: the same id sent again is the same event'),
    device_id: Type.String({
      minLength: 1,
      maxLength: DEFAULT_LIMITS.idBytes,
      pattern: '^[^/+#\\u0000-\\u001f\\u007f-\\u009f]+$',
      description: 'Must equal the device id in the topic',
    }),
    event_type: id('What is measured: temp, door, boot'),
    value: Type.Optional(
      Type.Union(
        [
          Type.Number(),
          Type.String({ maxLength: DEFAULT_LIMITS.valueTextBytes }),
          Type.Boolean(),
          Type.Null(),
        ],
        {
          description:
            'A number goes to value_num, a string to value_text, a boolean to value_num as 1 or 0; null is absent',
        },
      ),
    ),
    unit: Type.Optional(
      Type.Union([Type.String({ maxLength: DEFAULT_LIMITS.unitBytes }), Type.Null()], {
        description: 'Unit of the value',
      }),
    ),
    ts_device: Type.Optional(
      Type.Union([Type.String(), Type.Number(), Type.Null()], {
        description:
          "The device's clock: ISO 8601, local time in DEVICE_TIMEZONE if it has no offset; a number is Unix time, in seconds below 1e11, otherwise in milliseconds",
      }),
    ),
    age_ms: Type.Optional(
      Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
        description:
          'For boards without a clock: the time between measuring and sending, in milliseconds. The event time is then the server time minus this, unless ts_device is plausible. Not part of the content: a resent event may have another age',
      }),
    ),
    meta: Type.Optional(
      Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()], {
        description: 'Anything else, stored as JSONB',
      }),
    ),
  },
  { $id: 'qs/v1/event', description: 'One event. Unknown fields are kept in meta under _extra.' },
)

/** What a device publishes: one event, or an array of them. */
export const EventMessageSchema = Type.Union(
  [EventSchema, Type.Array(EventSchema, { minItems: 1, maxItems: DEFAULT_LIMITS.arrayEvents })],
  { $id: 'qs/v1/events', description: 'A message on qs/v1/{device_id}/events' },
)

export type WireEvent = Static<typeof EventSchema>
