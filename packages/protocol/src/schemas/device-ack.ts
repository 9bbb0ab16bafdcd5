import Type, { type Static } from 'typebox'

const Notice = Type.Object({
  code: Type.String(),
  message: Type.String({
    description: 'What is wrong and what to do; cut to fit a packet of 256 bytes',
  }),
})

/** The ingester's answer for one event, after COMMIT. */
export const DeviceAckSchema = Type.Object(
  {
    event_id: Type.Union([Type.String(), Type.Null()], {
      description: 'null if no id can be read',
    }),
    status: Type.Union([Type.Literal('stored'), Type.Literal('duplicate'), Type.Literal('rejected')]),
    ts_server: Type.Optional(
      Type.String({
        description:
          'When the stored event was received; absent when rejected, and if a packet of 256 bytes has no room for both it and a warning',
      }),
    ),
    error: Type.Optional(Notice),
    warning: Type.Optional(Notice),
  },
  { $id: 'qs/v1/ack', description: 'Whatever the status, the device may forget its copy.' },
)

/**
 * A message on the device's ack topic: an object for an object, an array in the same order for an array; for an array
 * that is refused as a whole, an array of the ids that can be read in it.
 */
export const DeviceAckMessageSchema = Type.Union([DeviceAckSchema, Type.Array(DeviceAckSchema)], {
  $id: 'qs/v1/acks',
})

export type DeviceAck = Static<typeof DeviceAckSchema>
export type DeviceAckMessage = Static<typeof DeviceAckMessageSchema>
/** The event is stored, but something in it was unusual. */
export type DeviceAckWarning = Static<typeof Notice>
