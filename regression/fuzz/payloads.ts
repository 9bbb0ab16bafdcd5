import { DEFAULT_LIMITS } from '@qs-telemetry/protocol'
import { Random } from '../simulation/random.ts'

/** A generated message. */
export interface FuzzPayload {
  readonly payload: Buffer
  /** Ids of good events in it, which must be stored whatever their neighbours are. */
  readonly goodIds: readonly string[]
}

export interface FuzzTarget {
  readonly deviceId: string
  /** Ids of its events begin with it. */
  readonly prefix: string
}

const NAMES = [
  ...['schema', 'event_id', 'device_id', 'event_type', 'value', 'unit', 'ts_device', 'age_ms', 'meta'],
  ...['_extra', '__proto__', 'constructor', 'toJSON', '', 'a', '\\u0061', 'temp °C', '1'],
] as const

const LONG = [31, 32, 33, 127, 128, 129, 1_024, 2_704, 16_384, 16_385, 32_768, 40_000] as const

/** JSON texts at the limits of what decode, double, text, timestamptz and jsonb accept. */
const SCALARS = [
  ...['0', '-0', '1', '2', '1.5', '-1e11', '1e11', '99999999999', '100000000000', '253402300800000'],
  ...['1e308', '1.8e308', '1e400', '-1e400', '5e-324', '1e-400', '1e131071', '1e-16384', '2e131072'],
  ...['9007199254740993', '12345678901234567890', '0.1234567890123456789', '1E+5', '1e00000000000000000001'],
  ...[
    'true',
    'false',
    'null',
    '""',
    '" "',
    '"1"',
    '"é"',
    '"e\\u0301"',
    '"🚀"',
    '"\\ud83d\\ude80"',
    '"\\u202e"',
  ],
  ...[
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\udc00x"',
    '"\\\\u0000"',
    '"\\ufeff"',
    '"\\uffff"',
    '"\\u0007"',
  ],
  ...['"now"', '"infinity"', '"-infinity"', '"epoch"', '"NaN"', '"Infinity"', '"2026-02-30T00:00:00Z"'],
  ...[
    '"2026-11-01T01:30:00"',
    '"2026-03-08T02:30:00"',
    '"0001-01-01T00:00:00+23:59"',
    '"9999-12-31T23:59:59.9999999Z"',
  ],
  ...[
    '"300000-01-01T00:00:00Z"',
    '"1970-01-01T00:00:00Z"',
    '"2038-01-19T03:14:08Z"',
    '"2026-06-30T23:59:60Z"',
  ],
  ...[
    '"20260115T120000Z"',
    '"2026-W03-4"',
    '"2026-01-15"',
    '"2026-01-15 12:00:00 BC"',
    '"-0001-01-01T00:00:00Z"',
  ],
  ...['"\'; drop table events; --"', '"\\\\x00"', '"{}"', '"[1,2]"', '"a/b"', '"+"', '"#"'],
] as readonly string[]

/** The payload of a seed: always the same. */
export function fuzzPayload(seed: number, target: FuzzTarget): FuzzPayload {
  const random = new Random(seed)
  const kind = random.below(10)
  if (kind === 0) return bad(randomBytes(random))
  if (kind < 3) return bad(damaged(random, Buffer.from(goodEvent(`${target.prefix}-0`, target.deviceId))))
  if (kind === 3) return bad(Buffer.from(json(random, 0)))
  if (kind < 6) return bad(Buffer.from(element(random, target, 1)))
  return amongGood(random, target)
}

/** An array of good events mixed with elements that may be any JSON. */
function amongGood(random: Random, target: FuzzTarget): FuzzPayload {
  const goodIds: string[] = []
  const elements = Array.from({ length: random.between(2, 8) }, (_, index) => {
    if (random.chance(0.5)) return element(random, target, index)
    const id = `${target.prefix}-good-${index}`
    goodIds.push(id)
    return goodEvent(id, target.deviceId)
  })
  const payload = Buffer.from(`[${elements.join(random.chance(0.2) ? ' ,\n\t' : ',')}]`)
  // A message that is too large is refused as a whole.
  return payload.length > DEFAULT_LIMITS.messageBytes ? bad(payload) : { payload, goodIds }
}

function bad(payload: Buffer): FuzzPayload {
  return { payload, goodIds: [] }
}

export function goodEvent(id: string, deviceId: string): string {
  return `{"schema":1,"event_id":"${id}","device_id":"${deviceId}","event_type":"temp","value":21.5,"unit":"°C","meta":{"n":[1,{"big":12345678901234567890}]}}`
}

/** A good event with some members replaced, left out, added or repeated; rarely no event at all. */
function element(random: Random, { prefix, deviceId }: FuzzTarget, index: number): string {
  if (random.chance(0.1)) return json(random, 1)
  const members = new Map<string, string>([
    ['schema', '1'],
    ['event_id', `"${prefix}-${index}"`],
    ['device_id', `"${deviceId}"`],
    ['event_type', '"temp"'],
    ['value', random.pick(['21.5', '"open"', 'true'])],
  ])
  let extra = ''
  for (let changes = random.between(1, 3); changes > 0; changes--) {
    const name = random.pick(NAMES)
    const kind = random.below(10)
    if (kind === 0) members.delete(name)
    else if (kind === 1) extra += `,"${name}":${json(random, 1)}`
    else members.set(name, name === 'meta' ? object(random, 1) : json(random, 1))
  }
  return `{${[...members].map(([name, value]) => `"${name}":${value}`).join(',')}${members.size > 0 ? extra : ''}}`
}

function json(random: Random, depth: number): string {
  const kind = random.below(depth > 5 ? 8 : 12)
  if (kind < 8) return random.chance(0.004) ? longText(random) : scalar(random)
  if (kind === 8) return random.chance(0.1) ? nested(random) : scalar(random)
  if (kind === 9)
    return `[${Array.from({ length: random.below(4) }, () => json(random, depth + 1)).join(',')}]`
  return object(random, depth)
}

function object(random: Random, depth: number): string {
  const members = Array.from(
    { length: random.below(5) },
    () => `"${random.pick(NAMES)}":${json(random, depth + 1)}`,
  )
  return `{${members.join(',')}}`
}

function scalar(random: Random): string {
  if (random.chance(0.8)) return SCALARS[random.below(SCALARS.length)] ?? '0'
  const digits = Array.from({ length: random.between(1, 25) }, () => random.below(10)).join('')
  return `${random.pick(['', '-'])}${random.between(1, 9)}${digits}${random.pick(['', '.5', 'e3', 'e-310', 'E400'])}`
}

function longText(random: Random): string {
  const letter = random.pick(['x', 'é', '🚀', '\\n', '\\u0041'])
  return JSON.stringify(letter.repeat(random.pick(LONG) + random.between(-1, 1))).replaceAll('\\\\', '\\')
}

/** Around LIMIT_META_DEPTH, and far beyond it. */
function nested(random: Random): string {
  const levels = random.pick([29, 30, 31, 32, 33, 34, 200, 5_000])
  const [open, close] = random.pick<[string, string]>([
    ['[', ']'],
    ['{"a":', '}'],
  ])
  return `${open.repeat(levels)}1${close.repeat(levels)}`
}

function randomBytes(random: Random): Buffer {
  return Buffer.from(Array.from({ length: random.below(random.pick([8, 32, 200])) }, () => random.below(256)))
}

const INTERESTING = Buffer.from('"\\{}[]:,0e-.\u0000u')

/** With bytes changed, dropped, duplicated or cut off. */
function damaged(random: Random, good: Buffer): Buffer {
  let bytes = good
  for (let edits = random.between(1, 4); edits > 0 && bytes.length > 0; edits--) {
    const [at, length] = [random.below(bytes.length), random.below(12)]
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
    const one = random.chance(0.5) ? random.below(256) : (INTERESTING[random.below(INTERESTING.length)] ?? 0)
    const kind = random.below(9)
    if (kind < 4) bytes = Buffer.concat([before, Buffer.from([one]), after.subarray(1)])
    else if (kind < 6) bytes = Buffer.concat([before, after.subarray(length)])
    else if (kind < 8) bytes = Buffer.concat([bytes.subarray(0, at + length), after])
    else bytes = before
  }
  return bytes
}
