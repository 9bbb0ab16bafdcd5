import Type from 'typebox'

/** RFC 3339 in UTC. */
export const Moment = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' })
