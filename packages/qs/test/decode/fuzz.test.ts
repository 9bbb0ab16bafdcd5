import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elementBytes, jsonContent } from '@qs-telemetry/protocol'
import { decode, eventJson } from '@qs-telemetry/testing/decoding.ts'

/** A separate generator, since fast-check takes more time for a case than decode does. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const SEED = Number(process.env.FUZZ_SEED ?? 20_261_123)
/** Of each kind; `npm run fuzz` generates more, and so does .ci/run. */
const PAYLOADS = Number(process.env.FUZZ_PAYLOADS ?? 6_000)

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Never throws, returns at least one element, for an array all of its elements; accepted events can be stored. */
function check(payload: Buffer): void {
  let parsed: unknown
  try {
    parsed = JSON.parse(utf8.decode(payload))
  } catch {
    parsed = undefined
  }
  const message = decode(payload)
  const { shape, elements } = message
  assert.ok(elements.length >= 1)
  if (shape === 'array')
    assert.equal(elements.length, ((parsed as unknown[]) ?? elementBytes(payload)).length)
  else assert.equal(elements.length, 1)
  const bytes = shape === 'array' ? elementBytes(payload) : [jsonContent(payload)]
  for (const [index, element] of elements.entries()) {
    if (element.kind === 'rejection') {
      assert.ok(element.message !== '' && element.trace !== '')
      assert.ok(element.eventId === null || element.eventId.isWellFormed())
      continue
    }
    assert.doesNotThrow(() => JSON.parse(utf8.decode(bytes[index])), 'only valid JSON becomes an event')
    assert.equal(element.deviceId, 'dev-1')
    for (const text of [
      element.eventId,
      element.eventType,
      element.valueText,
      element.unit,
      element.tsDeviceRaw,
    ]) {
      assert.ok(text === null || (text.isWellFormed() && !text.includes('\0')))
    }
    assert.ok(element.valueNum === null || Number.isFinite(element.valueNum))
    assert.match(element.ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    if (element.meta !== null) assert.doesNotMatch(element.meta, /\\u0000|\\ud[89a-f]/)
    if (element.meta !== null) assert.equal(typeof JSON.parse(element.meta), 'object')
  }
}

function checkMany(next: () => Buffer): void {
  for (let run = 0; run < PAYLOADS; run++) {
    const payload = next()
    try {
      check(payload)
    } catch (error) {
      throw new Error(`FUZZ_SEED=${SEED}, payload ${JSON.stringify(payload.toString('latin1'))}`, {
        cause: error,
      })
    }
  }
}

test('random bytes are decoded or rejected', () => {
  const random = randomOf(SEED)
  checkMany(() => Buffer.from(Array.from({ length: random(24) }, () => random(256))))
})

test('a good message with bytes changed, dropped, duplicated or truncated is decoded or rejected', () => {
  const random = randomOf(SEED + 1)
  const good = Buffer.from(
    `[${eventJson({ value: '21.5', unit: '"°C"', ts_device: '"2026-11-23T10:00:00.5"', meta: '{"n":[1,{"big":12345678901234567890}]}', other: '"🚀"' })}]`,
  )
  const interesting = Buffer.from('"\\{}[]:,0e-.\u0000u')
  checkMany(() => {
    let bytes = Buffer.from(good)
    for (let edits = 1 + random(3); edits > 0; edits--) {
      const at = random(bytes.length)
      const [kind, length] = [random(5), random(8)]
      if (kind === 0) bytes[at] = random(256)
      else if (kind === 1) bytes[at] = interesting[random(interesting.length)] as number
      else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
      else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)])
      else if (at > 0 && random(8) === 0) bytes = bytes.subarray(0, at)
    }
    return Buffer.from(bytes)
  })
})

const NAMES = [
  'schema',
  'event_id',
  'device_id',
  'event_type',
  'value',
  'unit',
  'ts_device',
  'age_ms',
  'meta',
  '_extra',
  '__proto__',
  'constructor',
  'a',
  '',
  '1',
]
const SCALARS = [
  '1',
  '0',
  '-0',
  '2',
  '1.5',
  '1e400',
  '1e-400',
  '1e131071',
  '-1e11',
  '1e11',
  '300000',
  '12345678901234567890',
  '0.12345678901234567890',
  'true',
  'false',
  'null',
  '""',
  '"dev-1"',
  '"e"',
  '"\\u0000"',
  '"\\ud800"',
  '"\\ud83d\\ude80"',
  '"a/b"',
  '"°C"',
  '"2026-11-01T01:30:00"',
  '"2026-02-30T00:00:00Z"',
  '"20260115T12"',
  '"2026-01-15T24:00:00.000001+23:59"',
  '"0001-01-01T00:00:00"',
  '"9999-12-31T23:59:59.999999"',
  '"now"',
  '"\\\\\\"1"',
] as const

test('random JSON made of the contract fields is decoded or rejected', () => {
  const random = randomOf(SEED + 2)
  const pick = (list: readonly string[]) => list[random(list.length)] as string
  const value = (depth: number): string => {
    const kind = random(depth > 3 ? 4 : 7)
    if (kind < 4) return pick(SCALARS)
    if (kind === 4) return `[${Array.from({ length: random(4) }, () => value(depth + 1)).join(',')}]`
    return `{${Array.from({ length: random(5) }, () => `"${pick(NAMES)}":${value(depth + 1)}`).join(',')}}`
  }
  const event = () => {
    const members: Record<string, string | undefined> = {}
    for (let changes = random(4); changes > 0; changes--)
      members[pick(NAMES)] = random(6) === 0 ? undefined : value(1)
    return eventJson(members)
  }
  checkMany(() => {
    const shape = random(8)
    if (shape === 0) return Buffer.from(value(0))
    if (shape < 6) return Buffer.from(event())
    return Buffer.from(
      `[${Array.from({ length: random(4) }, () => (random(5) === 0 ? value(1) : event())).join(' , ')}]`,
    )
  })
})
