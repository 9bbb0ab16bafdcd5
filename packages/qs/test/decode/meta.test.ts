import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accepted, eventJson, nested, refused } from '@qs-telemetry/testing/decoding.ts'
import fc from 'fast-check'

const metaOf = (json: string | undefined) => accepted(eventJson({ meta: json })).meta
const fault = (json: string) => refused(eventJson({ meta: json })).code

test('an absent or null meta is null, an empty one is an empty object', () => {
  assert.equal(metaOf(undefined), null)
  assert.equal(metaOf('null'), null)
  assert.equal(metaOf('{}'), '{}')
})

test('meta must be an object', () => {
  for (const json of ['[]', '[{}]', '"text"', '1', 'true', 'false', '0', '""'])
    assert.equal(fault(json), 'INVALID_META', json)
})

test('the actual type of a bad meta is reported, also in a message with long numbers', () => {
  assert.match(refused(eventJson({ meta: '5' })).message, /^meta is a number\. /)
  assert.match(refused(eventJson({ meta: '12345678901234567890' })).message, /^meta is a number\. /)
})

test('meta is written without white space and otherwise as sent', () => {
  assert.equal(
    metaOf('{ "a" : [ 1 , "x\\u00e4\\n" , true , null , { } ] }'),
    '{"a":[1,"xä\\n",true,null,{}]}',
  )
})

test('integers and decimals longer than a double keep every digit', () => {
  for (const number of [
    '12345678901234567890',
    '-12345678901234567890',
    '9007199254740993',
    '0.1234567890123456789',
    '-0.10000000000000000555',
    '123456789012345678901234567890.123456789012345678901234567890',
    '1.2345678901234567e-300',
    `1${'0'.repeat(300)}`,
    '3.141592653589793238462643383279502884197e10',
  ]) {
    assert.equal(metaOf(`{"n":${number},"a":[${number}]}`), `{"n":${number},"a":[${number}]}`)
    assert.equal(accepted(eventJson({ other: number })).meta, `{"_extra":{"other":${number}}}`)
  }
})

test('a long number does not disturb its neighbours', () => {
  assert.equal(
    metaOf(
      '{"a":"1234567890123456789","b":1234567890123456789,"1":-1,"c":[0,1e3,-0.5,"\\"7\\""],"d":"\\\\"}',
    ),
    '{"1":-1,"a":"1234567890123456789","b":1234567890123456789,"c":[0,1e3,-0.5,"\\"7\\""],"d":"\\\\"}',
  )
})

test('digits in keys and strings stay strings', () => {
  assert.equal(
    metaOf('{"12345678901234567890":"12345678901234567890","n":12345678901234567890}'),
    '{"12345678901234567890":"12345678901234567890","n":12345678901234567890}',
  )
})

test('a long number elsewhere in the message leaves value and time as they are', () => {
  const event = accepted(
    eventJson({ value: '21.5', ts_device: '1795456800', meta: '{"n":12345678901234567890}' }),
  )
  assert.equal(event.valueNum, 21.5)
  assert.equal(event.ts, '2026-11-23T18:00:00.000000Z')
})

test('minus zero in meta is zero, as it is in JSONB', () => {
  assert.equal(metaOf('{"n":-0}'), '{"n":0}')
  assert.equal(metaOf('{"n":-0,"m":12345678901234567890}'), '{"n":-0,"m":12345678901234567890}')
})

test('a number beyond the range of a double is rejected: 1e131071 would be stored as 131,072 digits', () => {
  for (const number of [
    '1e400',
    '-1e400',
    '1e131071',
    '1E+400',
    '1e-400',
    '-0.1e-400',
    `1${'0'.repeat(400)}`,
    `0.${'0'.repeat(400)}1`,
  ]) {
    assert.equal(fault(`{"n":${number}}`), 'INVALID_META', number)
    assert.equal(fault(`{"a":[{"b":${number}}]}`), 'INVALID_META', number)
    assert.equal(refused(eventJson({ other: number })).code, 'INVALID_META', number)
  }
  assert.equal(metaOf('{"n":0e400}') === null, false)
  assert.equal(metaOf('{"n":0e-400}') === null, false)
})

test('U+0000 and halves of surrogate pairs are rejected in keys and values at any depth', () => {
  for (const text of ['"\\u0000"', '"a\\u0000"', '"\\ud800"', '"\\udc00"', '"\\udc00\\ud800"']) {
    for (const meta of [
      `{"a":${text}}`,
      `{${text}:1}`,
      `{"a":[[${text}]]}`,
      `{"a":{"b":{${text}:{}}}}`,
      `{"a":${text},"n":12345678901234567890}`,
    ]) {
      assert.equal(fault(meta), 'INVALID_META', meta)
    }
    assert.equal(refused(`{${text}:1,${eventJson().slice(1)}`).code, 'INVALID_META')
  }
})

test('a surrogate pair is a character like any other', () => {
  assert.equal(metaOf('{"\\ud83d\\ude80":"\\ud83d\\ude80"}'), '{"🚀":"🚀"}')
})

test('meta may have 32 KiB of UTF-8 and not one byte more', () => {
  const metaOfBytes = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`
  assert.equal(metaOf(metaOfBytes(32_768))?.length, 32_768)
  assert.equal(fault(metaOfBytes(32_769)), 'META_TOO_LARGE')
  assert.equal(metaOf(`{"a":"${'€'.repeat(10_920)}"}`)?.length, 10_928)
  assert.equal(fault(`{"a":"${'€'.repeat(10_920)}x"}`), 'META_TOO_LARGE')
})

test('white space in meta does not count towards its size, unknown fields do', () => {
  assert.equal(metaOf(`{"a":${' '.repeat(100_000)}1}`), '{"a":1}')
  const other = `"${'x'.repeat(32_768 - 23)}"`
  assert.equal(accepted(eventJson({ other })).meta?.length, 32_768)
  assert.equal(refused(eventJson({ other: `"x${other.slice(1)}` })).code, 'META_TOO_LARGE')
})

test('long numbers count with all their bytes', () => {
  const digits = '9'.repeat(300)
  const numbers = Array.from({ length: 108 }, () => digits).join(',')
  assert.equal(metaOf(`{"a":[${numbers}]}`)?.length, 108 * 301 - 1 + 8)
  assert.equal(fault(`{"a":[${numbers},${digits}]}`), 'META_TOO_LARGE')
})

test('meta may be 32 levels deep, counting itself', () => {
  assert.equal(metaOf(`{"a":${nested(31)}}`), `{"a":${nested(31)}}`)
  assert.equal(fault(`{"a":${nested(32)}}`), 'META_TOO_DEEP')
  const objects = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`
  assert.equal(metaOf(objects(32)), objects(32))
  assert.equal(fault(objects(33)), 'META_TOO_DEEP')
})

test('unknown fields count two levels deeper', () => {
  assert.equal(accepted(eventJson({ other: nested(30) })).meta, `{"_extra":{"other":${nested(30)}}}`)
  assert.equal(refused(eventJson({ other: nested(31) })).code, 'META_TOO_DEEP')
})

test('an _extra key from the device is kept, unless unknown fields need its place', () => {
  assert.equal(metaOf('{"_extra":{"a":1}}'), '{"_extra":{"a":1}}')
  const { code, message } = refused(eventJson({ meta: '{"_extra":1}', rssi: '-70' }))
  assert.equal(code, 'INVALID_META')
  assert.match(message, /_extra.*rssi/)
})

test('__proto__ and constructor in meta are keys like any other', () => {
  const json = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}}}'
  assert.equal(metaOf(json), json)
  const exact = '{"__proto__":{"n":12345678901234567890},"constructor":1}'
  assert.equal(metaOf(exact), exact)
  assert.equal(
    accepted(eventJson({ meta: '{"__proto__":null}', other: '1' })).meta,
    '{"__proto__":null,"_extra":{"other":1}}',
  )
})

test('any JSON object of moderate size passes unchanged', () => {
  const meta = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 })
  fc.assert(
    fc.property(meta, (sent) => {
      const json = JSON.stringify(sent)
      if (json.includes('\\u0000')) return
      assert.equal(metaOf(json), json === 'null' ? null : JSON.stringify(JSON.parse(json)))
    }),
    { numRuns: 1000 },
  )
})

test('numbers of any length keep their digits', () => {
  const digits = fc.stringMatching(/^(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$/)
  fc.assert(
    fc.property(digits, fc.boolean(), (unsigned, negative) => {
      const number = `${negative ? '-' : ''}${unsigned}`
      // Beside a long number every number keeps its exact text.
      assert.equal(
        metaOf(`{"n":${number},"long":12345678901234567890}`),
        `{"n":${number},"long":12345678901234567890}`,
      )
      // Without one, a short number may change its text but not its value, compared as a scaled integer.
      const alone = /^\{"n":(.*)\}$/.exec(metaOf(`{"n":${number}}`) ?? '')?.[1] ?? ''
      assert.deepEqual(exactValue(alone), exactValue(number))
    }),
    { numRuns: 2000 },
  )
})

/** A decimal as an integer and a power of ten, in lowest terms. */
function exactValue(number: string): readonly [bigint, number] {
  const [, sign, whole = '0', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? assert.fail(number)
  let integer = BigInt(whole + fraction)
  let power = Number(exponent) - fraction.length || 0
  if (integer === 0n) return [0n, 0]
  for (; integer % 10n === 0n; power++) integer /= 10n
  return [sign === '-' ? -integer : integer, power || 0]
}
