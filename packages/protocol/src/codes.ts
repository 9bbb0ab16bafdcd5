/**
 * Why an element can never be stored: a closed list. The key is what a device sees in `error.code` and an
 * operator in `dead_letters.code`; the text says what to do about it.
 */
export const DEAD_LETTER_CODES = {
  EMPTY_MESSAGE: 'The message has no payload. Send one JSON object or an array of them.',
  MESSAGE_TOO_LARGE: 'Send smaller messages, or raise LIMIT_MESSAGE_BYTES.',
  INVALID_UTF8: 'The payload is not UTF-8. Encode the JSON text as UTF-8.',
  INVALID_JSON: 'The payload is not JSON. Check quotes, commas and that the whole message was sent.',
  NOT_AN_EVENT: 'A message must be one JSON object or an array of objects.',
  EMPTY_ARRAY: 'The array is empty. Send no message when there is nothing to send.',
  TOO_MANY_EVENTS: 'Send smaller arrays, or raise LIMIT_ARRAY_EVENTS.',
  TOPIC_MISMATCH: 'The topic has no device id where MQTT_EVENTS_TOPIC has its +.',
  MISSING_FIELD: 'A required field is absent: schema, event_id, device_id and event_type are required.',
  INVALID_FIELD: 'A field has the wrong type or format. See the wire contract for what it accepts.',
  FIELD_TOO_LONG:
    'Shorten it, or raise its limit: LIMIT_ID_BYTES, LIMIT_UNIT_BYTES or LIMIT_VALUE_TEXT_BYTES.',
  UNSUPPORTED_SCHEMA:
    'This version of the contract is not supported. Send schema 1, or upgrade the ingester.',
  DEVICE_ID_MISMATCH: 'device_id is not the one in the topic. A device publishes only to its own topic.',
  INVALID_VALUE: 'value must be a finite number, a string, a boolean or null.',
  INVALID_TEXT: 'A string contains what PostgreSQL cannot store: U+0000 or half of a surrogate pair.',
  INVALID_META: 'meta must be an object whose numbers are finite and whose strings PostgreSQL can store.',
  META_TOO_LARGE: 'Send less in meta and in unknown fields, which are kept there, or raise LIMIT_META_BYTES.',
  META_TOO_DEEP: 'meta, with the unknown fields kept in it, nests deeper than LIMIT_META_DEPTH.',
  TOO_MANY_EVENT_TYPES:
    'A counter or an id in event_type is a mistake: put it in meta or value. Otherwise raise LIMIT_EVENT_TYPES.',
  EVENT_ID_CONFLICT:
    'Another event is stored under this event_id. Ids are permanent: give each event its own.',
  QUARANTINED:
    'The packet ended the connection to the broker twice, so it is kept here as received. Find out which client published it, and report it to the developers of the broker or of the ingester.',
  EVENT_ID_NOT_OWN: 'EVENT_ID_RULE=device: an event_id must begin with the device id and a hyphen.',
  INTERNAL_ERROR:
    'The ingester failed on this message. This is a bug in the ingester: please report it with the trace.',
  STORAGE_REJECTED: 'PostgreSQL refused this event. The trace has the reason.',
} as const

/** One of the reasons above. */
export type DeadLetterCode = keyof typeof DEAD_LETTER_CODES

/**
 * How a stored event differs from what was sent: the key is what a device sees in `warning.code`. An event has the
 * first code that applies.
 */
export const WARNING_CODES = {
  KEY_REPEATED:
    'An object in the event, meta included, has a repeated key. The last value is stored, the others are dropped. Send each key once.',
  VALUE_ROUNDED:
    'value has more digits than a double. value_num is the nearest double, and value_exact has all digits. Send a number that needs all of its digits as a string, or in meta.',
  TS_DEVICE_TOO_LONG:
    'ts_device is longer than LIMIT_TS_DEVICE_BYTES. The event is stored without device time and with the beginning of what was sent.',
  TS_DEVICE_UNREADABLE:
    'ts_device is not a time. The event is stored without device time; ts_device_raw has what was sent. Send ISO 8601 or Unix time.',
  TS_DEVICE_IMPLAUSIBLE:
    'ts_device is stored but further from the server time than DEVICE_CLOCK_MAX_PAST or DEVICE_CLOCK_MAX_FUTURE allows, so the event time is the server time, minus age_ms if it is present. Set the clock of the device, or leave ts_device out.',
  AGE_UNUSABLE:
    'age_ms is not a number from 0 to DEVICE_CLOCK_MAX_PAST in milliseconds, so it is ignored: the event time is ts_device if that is plausible, otherwise the server time. Send the time between measuring and sending, in milliseconds.',
} as const

/** One of the codes above. */
export type WarningCode = keyof typeof WARNING_CODES
