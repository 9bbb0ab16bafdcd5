import {
  CONTRACT_VERSION,
  isDeviceId,
  type Limits,
  NESTED_TOO_DEEP,
  readDeviceTime,
} from '@qs-telemetry/protocol'
import type { Event, Rejection } from '../pipeline/message.ts'
import { rejection } from '../pipeline/rejection.ts'
import type { MessageContext } from './decode-options.ts'
import { beginningOf, eventTime, readAge } from './event-time.ts'
import { exactDigits, inDoubleRange, stringifyExact } from './exact-numbers.ts'
import { exactValue } from './exact-value.ts'
import { writeMeta } from './meta.ts'
import { echoed, isLonger, isStorable } from './text.ts'
import { roundedValue, tooLongTime } from './warnings.ts'

type Fields = Readonly<Record<string, unknown>>

const KNOWN = new Set([
  ...['schema', 'event_id', 'device_id', 'event_type', 'value', 'unit', 'ts_device', 'age_ms', 'meta'],
])

/**
 * Decodes one element of a message into an event or a rejection. Never throws.
 *
 * @param element from JSON.parse
 * @param exact from parseExact if numbers may lose digits; otherwise the same object
 */
export function decodeEvent(element: unknown, exact: unknown, context: MessageContext): Event | Rejection {
  if (typeof element !== 'object' || element === null || Array.isArray(element)) {
    return notAnEvent(element)
  }
  const fields = element as Fields
  const { limits, timeZoneOf, clockTrust } = context.options
  const eventId = echoed(fields.event_id)
  const refuse = (code: Rejection['code'], detail: string) => rejection(code, detail, { eventId })

  const fault = findFault(fields, context) ?? underflow(fields.value, (exact as Fields).value)
  if (fault !== null) return refuse(fault[0], fault[1])

  const { value } = fields
  const valueExact = exact === element ? null : exactValue(value, (exact as Fields).value)
  if (valueExact !== null && valueExact.length > limits.valueTextBytes)
    return refuse('FIELD_TOO_LONG', `value has more than ${limits.valueTextBytes} digits`)
  const meta = writeMeta((exact as Fields).meta, unknownFields(exact as Fields), {
    limits,
    exact: exact !== element,
  })
  if (meta.kind === 'refused') return refuse(meta.code, meta.detail)

  // The text of the topic, so that the events of an array share one string.
  const deviceId = context.deviceId as string
  const { receivedAt, tsServer } = context
  const age = readAge(fields.age_ms, clockTrust.maxPastMs)
  const deviceTime = readDeviceTime(fields.ts_device, {
    timeZone: timeZoneOf(deviceId),
    serverTime: receivedAt,
  })
  const { ts, tsDevice, tsDeviceLocal, tsDeviceRaw, warning } = eventTime(deviceTime, age, {
    receivedAt,
    tsServer,
    trust: clockTrust,
  })
  const raw = tsDeviceRaw !== null && exact !== element ? exactRaw(exact as Fields, tsDeviceRaw) : tsDeviceRaw
  const isTooLong = raw !== null && isLonger(raw, limits.tsDeviceBytes)
  return {
    kind: 'event',
    eventId: fields.event_id as string,
    deviceId,
    eventType: fields.event_type as string,
    valueNum: typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : null,
    valueText: typeof value === 'string' ? value : null,
    valueExact,
    unit: (fields.unit ?? null) as string | null,
    ts,
    tsDevice,
    tsDeviceLocal,
    tsDeviceRaw: isTooLong ? beginningOf(raw) : raw,
    schema: CONTRACT_VERSION,
    meta: meta.json,
    // At most one: a changed value takes precedence over a changed time.
    warning:
      valueExact !== null ? roundedValue(value) : isTooLong ? tooLongTime(limits.tsDeviceBytes) : warning,
  }
}

/** One shared object for each kind: an array of 2 KB can hold a thousand such elements. */
const SCRAPS = {
  null: rejection('NOT_AN_EVENT', 'It is null'),
  array: rejection('NOT_AN_EVENT', 'It is an array'),
  number: rejection('NOT_AN_EVENT', 'It is a number'),
  string: rejection('NOT_AN_EVENT', 'It is a string'),
  boolean: rejection('NOT_AN_EVENT', 'It is a boolean'),
} as const

function notAnEvent(value: unknown): Rejection {
  if (value === null) return SCRAPS.null
  return SCRAPS[Array.isArray(value) ? 'array' : (typeof value as 'number' | 'string' | 'boolean')]
}

/** The digits as sent, if the double has others. */
function exactRaw({ ts_device: sent }: Fields, fallback: string): string {
  if (fallback === NESTED_TOO_DEEP || (typeof sent === 'string' && exactDigits(sent) === null))
    return fallback
  return stringifyExact(sent)
}

/** A number too small for a double would be stored as 0. */
function underflow(value: unknown, exact: unknown): Fault | null {
  if (value !== 0 || typeof exact !== 'string') return null
  const digits = exactDigits(exact)
  return digits === null || inDoubleRange(digits)
    ? null
    : ['INVALID_VALUE', 'value is too small for a double']
}

type Fault = readonly [code: Rejection['code'], detail: string]

function findFault(fields: Fields, { options, deviceId }: MessageContext): Fault | null {
  const { limits, eventIdRule } = options
  const { schema, device_id: claimed } = fields
  if (schema === undefined || schema === null) return ['MISSING_FIELD', 'schema is missing']
  if (typeof schema !== 'number' || !Number.isInteger(schema))
    return ['INVALID_FIELD', 'schema is not an integer']
  if (schema !== CONTRACT_VERSION) return ['UNSUPPORTED_SCHEMA', `schema is ${schema}`]
  const fault =
    textFault(fields, 'event_id', limits.idBytes) ??
    textFault(fields, 'device_id', limits.idBytes) ??
    textFault(fields, 'event_type', limits.idBytes)
  if (fault !== null) return fault
  // The device id of the topic is valid already.
  if (claimed !== deviceId) {
    if (!isDeviceId(claimed as string))
      return ['INVALID_FIELD', 'device_id contains / + # or a control character']
    return [
      'DEVICE_ID_MISMATCH',
      `device_id is ${JSON.stringify(claimed)}, but the topic has ${JSON.stringify(deviceId)}`,
    ]
  }
  if (eventIdRule === 'device' && !(fields.event_id as string).startsWith(`${deviceId}-`))
    return ['EVENT_ID_NOT_OWN', `Send an event_id that begins with ${JSON.stringify(`${deviceId}-`)}`]
  if (fields.unit !== undefined && fields.unit !== null) {
    const unitFault = textFault(fields, 'unit', limits.unitBytes)
    if (unitFault !== null) return unitFault
  }
  return valueFault(fields.value, limits)
}

function textFault(fields: Fields, name: string, maxBytes: number): Fault | null {
  const text = fields[name]
  if (text === undefined || text === null) return ['MISSING_FIELD', `${name} is missing`]
  if (typeof text !== 'string') return ['INVALID_FIELD', `${name} is not a string`]
  if (text === '' && name !== 'unit') return ['INVALID_FIELD', `${name} is empty`]
  if (isLonger(text, maxBytes)) return ['FIELD_TOO_LONG', `${name} is longer than ${maxBytes} bytes`]
  return isStorable(text) ? null : ['INVALID_TEXT', `${name} cannot be stored`]
}

function valueFault(value: unknown, limits: Limits): Fault | null {
  switch (typeof value) {
    case 'undefined':
    case 'boolean':
      return null
    case 'number':
      return Number.isFinite(value) ? null : ['INVALID_VALUE', 'value is out of the range of a double']
    case 'string':
      if (isLonger(value, limits.valueTextBytes)) {
        return ['FIELD_TOO_LONG', `value is longer than ${limits.valueTextBytes} bytes`]
      }
      return isStorable(value) ? null : ['INVALID_TEXT', 'value cannot be stored']
    default:
      return value === null
        ? null
        : ['INVALID_VALUE', `value is an ${Array.isArray(value) ? 'array' : 'object'}`]
  }
}

/** Without a prototype, so that `__proto__` is a field like any other. */
function unknownFields(fields: Fields): Record<string, unknown> | null {
  let extra: Record<string, unknown> | null = null
  for (const key of Object.keys(fields)) {
    if (KNOWN.has(key)) continue
    extra ??= Object.create(null) as Record<string, unknown>
    extra[key] = fields[key]
  }
  return extra
}
