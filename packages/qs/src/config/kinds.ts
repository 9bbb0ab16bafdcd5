import { isIP } from 'node:net'
import { brokerUrls, EventTopic, isTimeZone } from '@qs-telemetry/protocol'
import { LOG_LEVELS, type LogLevel } from '../telemetry/log.ts'

/** Parses the text of a setting. `parse` throws a RangeError whose message says which values it takes. */
export interface Kind<T> {
  /** For help and docs: "integer", "duration". */
  readonly name: string
  parse(text: string): T
}

function kind<T>(name: string, parse: (text: string) => T): Kind<T> {
  return { name, parse }
}

export const text = kind('text', (value) => value)

/** For passwords that can be guessed over the network. */
export const MIN_PASSWORD_LENGTH = 8

export const password = kind(`text, ${MIN_PASSWORD_LENGTH} characters or more`, (value) => {
  if (value.length < MIN_PASSWORD_LENGTH)
    throw new RangeError(`takes ${MIN_PASSWORD_LENGTH} characters or more`)
  return value
})

export const integer = (min: number, max: number): Kind<number> =>
  kind(`integer, ${min} to ${max}`, (value) => {
    const number = Number(value)
    if (value.trim() === '' || !Number.isInteger(number) || number < min || number > max) {
      throw new RangeError(`takes a whole number from ${min} to ${max}`)
    }
    return number
  })

export const number = (min: number, max: number): Kind<number> =>
  kind(`number, ${min} to ${max}`, (value) => {
    const parsed = Number(value)
    if (value.trim() === '' || !(parsed >= min && parsed <= max))
      throw new RangeError(`takes a number from ${min} to ${max}`)
    return parsed
  })

export const port = integer(0, 65_535)

const DURATION_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Milliseconds. Node timers hold at most 24 days; longer durations are for arithmetic only. */
export const duration = (min: string, max: string): Kind<number> =>
  kind(`duration, ${min} to ${max}`, (value) => {
    const ms = parseDuration(value)
    if (ms < parseDuration(min) || ms > parseDuration(max))
      throw new RangeError(`takes a duration from ${min} to ${max}`)
    return ms
  })

/** Milliseconds, or null for a word such as never. */
export const durationOr = (word: string, min: string, max: string): Kind<number | null> => {
  const { name, parse } = duration(min, max)
  return kind(`${name}, or ${word}`, (value) => (value.trim() === word ? null : parse(value)))
}

/** Milliseconds, or `forever`. */
export const keepTime = (min: string, max: string): Kind<number | 'forever'> => {
  const { name, parse } = durationOr('forever', min, max)
  return kind(name, (value) => parse(value) ?? 'forever')
}

function parseDuration(value: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(value.trim())
  const unitMs = DURATION_MS[match?.[2] ?? '']
  if (unitMs === undefined) throw new RangeError('takes a number with a unit: 500ms, 10s, 5m, 1h, 90d')
  return Number(match?.[1]) * unitMs
}

const UNIT_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

/** Bytes. */
export const size = kind('size', parseSize)

/** Bytes. */
export const sizeFrom = (min: string): Kind<number> =>
  kind(`size, ${min} or more`, (value) => {
    const bytes = parseSize(value)
    if (bytes < parseSize(min)) throw new RangeError(`takes ${min} or more`)
    return bytes
  })

function parseSize(value: string): number {
  const match = /^(\d+)\s*(B|KiB|MiB|GiB|)$/.exec(value.trim())
  const unitBytes = UNIT_BYTES[match?.[2] ?? '-']
  if (unitBytes === undefined || Number(match?.[1]) === 0)
    throw new RangeError('takes bytes: 16384, 16KiB, 8MiB')
  return Number(match?.[1]) * unitBytes
}

/** Bytes, or `off`. */
export const sizeOrOff = (min: string): Kind<number | 'off'> => {
  const { name, parse } = sizeFrom(min)
  return kind(`${name}, or off`, (value) => (value.trim() === 'off' ? 'off' : parse(value)))
}

export const timeZone = kind('time zone', (value) => {
  if (!isTimeZone(value)) throw new RangeError('takes an IANA time zone such as America/Los_Angeles or UTC')
  return value
})

export const eventTopic = kind('topic filter', (value) => new EventTopic(value))

export const topic = kind('topic', (value) => {
  if (value === '' || /[+#]/.test(value)) throw new RangeError('takes a topic without wildcards')
  return value
})

export const ackTemplate = kind('topic template', (value) => {
  if (!value.includes('{device_id}') || /[+#]/.test(value)) {
    throw new RangeError('takes a topic with {device_id} in it, as in qs/v1/{device_id}/acks')
  }
  return value
})

export const url = (...schemes: readonly string[]): Kind<string> =>
  kind(`URL (${schemes.join(', ')})`, (value) => {
    const parsed = URL.canParse(value) ? new URL(value) : null
    const isComplete = parsed !== null && /^[a-z]+:\/\//.test(value) && parsed.hostname !== ''
    if (!isComplete || !schemes.includes(parsed.protocol.slice(0, -1))) {
      throw new RangeError(`takes a URL that starts with ${schemes.map((each) => `${each}://`).join(' or ')}`)
    }
    return value
  })

/** Without credentials, which would end up in logs and process lists. */
export const brokerUrl: Kind<string> = kind('URL (mqtt, mqtts)', (value) => {
  const checked = url('mqtt', 'mqtts').parse(value)
  if (new URL(checked).username === '') return checked
  throw new RangeError('takes no user name or password; set MQTT_USERNAME and MQTT_PASSWORD')
})

/** Complete URLs, separated by commas. */
export const brokerNodes: Kind<string> = kind('URLs (mqtt, mqtts)', (value) =>
  brokerUrls(value)
    .map((node) => brokerUrl.parse(node))
    .join(','),
)

/** Named ranges of @fastify/proxy-addr. */
const RANGES: ReadonlySet<string> = new Set(['loopback', 'linklocal', 'uniquelocal'])

/** Comma-separated IP addresses and networks. */
export const networks = kind('comma-separated addresses and networks', (value) => {
  for (const each of value.split(',').map((part) => part.trim())) {
    const [address = '', bits, ...more] = each.split('/')
    const most = isIP(address) === 4 ? 32 : 128
    const isNetwork = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
    if (!RANGES.has(each) && !(isIP(address) !== 0 && isNetwork && more.length === 0))
      throw new RangeError('takes IP addresses and networks, separated by commas: 10.0.0.2, 172.16.0.0/12')
  }
  return value
})

/** Comma-separated host names, in lower case. */
export const hostNames = kind('comma-separated host names', (value): readonly string[] => {
  const names = value.split(',').map((each) => each.trim().toLowerCase())
  if (!names.every((name) => /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name)))
    throw new RangeError('takes host names without a scheme or port: telemetry.example.org, pi.lan')
  return names
})

export const logLevel = kind(LOG_LEVELS.join(', '), (value): LogLevel => {
  const level = LOG_LEVELS.find((each) => each === value)
  if (level === undefined) throw new RangeError(`takes one of ${LOG_LEVELS.join(', ')}`)
  return level
})

export const eventIdRule = kind('any or device', (value): 'any' | 'device' => {
  if (value !== 'any' && value !== 'device') throw new RangeError('takes any or device')
  return value
})

export const qos = kind('0 or 1', (value): 0 | 1 => {
  if (value !== '0' && value !== '1') throw new RangeError('takes 0 or 1')
  return value === '1' ? 1 : 0
})
