import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accepted, decode, eventJson, refused } from '@qs-telemetry/testing/decoding.ts'
import fc from 'fast-check'
import { lettersOf } from '../../src/pipeline/letter.ts'

const withId = (id: string, members: Readonly<Record<string, string>> = {}) =>
  eventJson({ event_id: `"dev-1-${id}"`, ...members })

const said = (payload: string | Buffer) =>
  decode(payload).elements.map((each) => (each.kind === 'event' ? each.eventId : [each.code, each.eventId]))

test('one NaN among ten events costs only its own event, which is named', () => {
  const bad = withId('5', { value: 'NaN' })
  const elements = Array.from({ length: 10 }, (_, n) =>
    n === 5 ? bad : withId(String(n), { value: `${n}.25` }),
  )
  const message = decode(`[${elements.join(',')}]`)
  assert.equal(message.shape, 'array')
  assert.deepEqual(
    message.elements.map(({ kind, eventId }) => [kind, eventId]),
    elements.map((_, n) => [n === 5 ? 'rejection' : 'event', `dev-1-${n}`]),
  )
  const [, , , , , rejected] = message.elements
  assert.ok(rejected?.kind === 'rejection' && rejected.code === 'INVALID_JSON')
  assert.match(rejected.message, /^NaN at character \d+: JSON has no NaN, send null\. /)
  const [letter, ...others] = lettersOf(
    message,
    message.elements.map((each) => (each.kind === 'event' ? undefined : each)),
  )
  assert.deepEqual([letter?.payload.toString(), letter?.index, others], [bad, 5, []])
})

test('a good element is the same event as in a good array, to the last digit', () => {
  const members = {
    value: '0.1',
    meta: '{"big":12345678901234567890,"small":1.50}',
    ts_device: '[1.50]',
    other: '1e-7',
  }
  const [alone] = decode(`[${withId('a', members)}]`).elements
  const [salvaged] = decode(`[${withId('a', members)},nan]`).elements
  assert.deepEqual(salvaged, alone)
})

test('bytes around the JSON, and extra commas, cost nothing', () => {
  const [a, b] = [withId('a'), withId('b')]
  for (const payload of [
    `\ufeff[${a},${b}]`,
    `[${a},${b}]\0`,
    `[${a},${b}]\0\0\n`,
    `[${a},${b},]`,
    `[${a},,${b}]`,
    `[${a}${b}]`,
    `[${a},${b}`,
  ]) {
    assert.deepEqual(said(payload), ['dev-1-a', 'dev-1-b'], JSON.stringify(payload))
  }
  assert.equal(accepted(`\ufeff${a}`).eventId, 'dev-1-a')
  assert.equal(accepted(`${a}\0\0`).eventId, 'dev-1-a')
  assert.deepEqual(said('[ ]\0'), [['EMPTY_ARRAY', null]])
})

test('bytes that are not UTF-8 cost only their element', () => {
  const latin1 = Buffer.from(`[${withId('a')},${withId('b', { unit: '"°C"' })},${withId('c')}]`, 'latin1')
  assert.deepEqual(said(latin1), ['dev-1-a', ['INVALID_UTF8', 'dev-1-b'], 'dev-1-c'])
})

test('a truncated array keeps its complete elements', () => {
  const array = `[${withId('a')},${withId('b')},${withId('c', { value: '7' })}]`
  assert.deepEqual(said(array.slice(0, -4)), ['dev-1-a', 'dev-1-b', ['INVALID_JSON', 'dev-1-c']])
})

test('a single event that is not JSON is rejected under its own id', () => {
  for (const value of ['NaN', '-inf', 'None', '"21']) {
    const { code, eventId } = refused(withId('a', { value }))
    assert.deepEqual([code, eventId], ['INVALID_JSON', 'dev-1-a'], value)
  }
  assert.equal(decode(withId('a', { value: 'NaN' })).shape, 'one')
})

test('the message says what is wrong, where, and what to send', () => {
  for (const [value, expected] of [
    ['NaN', 'NaN at character 84: JSON has no NaN, send null'],
    ['-Infinity', '-Infinity at character 84: JSON has no -Infinity, send null'],
    ['ovf', 'ovf at character 84: JSON has no ovf, send null'],
    ['None', 'None at character 84: write null'],
    ['True', 'True at character 84: write true'],
    ["'x'", "' at character 84: write strings in double quotes"],
    ['"21', 'The string that begins at character 84 has no closing quote'],
  ] as const) {
    const { message } = refused(eventJson({ value, event_id: '"e-12345678"' }))
    assert.equal(message.slice(0, expected.length), expected)
  }
  assert.match(
    refused(eventJson().slice(0, -1)).message,
    /^The JSON is incomplete: it ends at character \d+|Expected/,
  )
})

test('the rejection of a whole array names the readable ids in it', () => {
  const ids = Array.from({ length: 1200 }, (_, n) => `dev-1-${n}`)
  const array = `[${ids.map((id) => eventJson({ event_id: `"${id}"` })).join(',')}]`
  for (const payload of [array, array.replace('"temp"', 'nan')]) {
    const { code, eventId, names } = refused(payload)
    assert.deepEqual([code, eventId, names?.slice(0, 1000)], ['TOO_MANY_EVENTS', null, ids.slice(0, 1000)])
  }
  const large = refused(array.padEnd(300_000))
  assert.deepEqual([large.code, large.names], ['MESSAGE_TOO_LARGE', ids.slice(0, 1000)])
  const one = refused(withId('a', { value: `"${'x'.repeat(300_000)}"` }))
  assert.deepEqual([one.code, one.eventId, one.names], ['MESSAGE_TOO_LARGE', 'dev-1-a', undefined])
  assert.equal(refused(`[${'0,'.repeat(1000)}0]`).names, undefined)
})

test('256 KiB built for the worst case take only milliseconds', (t) => {
  const fill = (unit: string) => unit.repeat(Math.floor(262_100 / unit.length))
  let [slowestMs, slowest] = [0, '']
  for (const unit of [
    ...['[', '{', '{"a":', '[{"a":', '"', "'", '\\', '\\"', '"\\', ']', '}', ',', ' ', '\0', '[]', '{}'],
    ...['{"},', '{\\"},', '{\'},{"},', '{"a":"},{', '}\n,\n', '},{', '{"a"x},', '{[},', '"a"b', "{'"],
    ...['{"event_id":', '{"event_id":"', '-', 'N', 'NaN,', '1e', '{"a":1,', '[{"a":[},', '{"e":[{},{"f":1},'],
  ]) {
    for (const payload of [`[${fill(unit)}`, `[{"a":nan},${fill(unit)}]`, fill(unit)]) {
      const before = process.cpuUsage()
      assert.ok(decode(payload).elements.length > 0)
      const { user, system } = process.cpuUsage(before)
      const tookMs = (user + system) / 1000
      if (tookMs > slowestMs) [slowestMs, slowest] = [tookMs, payload.slice(0, 24)]
    }
  }
  // Tens of milliseconds; a quadratic algorithm takes minutes for some of these.
  t.diagnostic(`the slowest, ${JSON.stringify(slowest)}…, takes ${slowestMs.toFixed(1)} ms of CPU`)
  assert.ok(slowestMs < 2_000)
})

test('good events among elements of arbitrary bytes are stored, each under its own id', () => {
  const bad = fc
    .string({ unit: fc.constantFrom(...'"\'\\{}[]:,0aN .\n'), maxLength: 10 })
    .map((inner) => `{"bad":${inner}}`)
  fc.assert(
    fc.property(bad, (element) => {
      const found = said(`[${withId('a')},${element},${withId('b')},${withId('c')}]`)
      assert.equal(found[0], 'dev-1-a')
      assert.equal(found.at(-1), 'dev-1-c')
    }),
    { numRuns: 2_000 },
  )
})

test('after a fault in quotes or brackets no event is named that is only mentioned in another one', () => {
  const mention = (id: string) => `{"x":1},{"event_id":"${id}","y":[2]}`
  const events = ['a', 'b', 'c'].map((id, index) =>
    withId(id, {
      meta: `{"seen":{"event_id":"mentioned-1","z":1},"list":[${mention('mentioned-2')}],"n":${index}}`,
      unit: '"C"',
    }),
  )
  const array = `[${events.join(',')}]`
  const named = (payload: string) =>
    decode(payload).elements.flatMap((each) => [
      each.eventId,
      ...((each.kind === 'rejection' && each.names) || []),
    ])
  const whereverChanged = fc.tuple(
    fc.nat(array.length - 1),
    fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', '""', '},{'),
    fc.nat(1),
  )
  fc.assert(
    fc.property(whereverChanged, ([at, inserted, deleted]) => {
      const ids = named(array.slice(0, at) + inserted + array.slice(at + deleted))
      assert.deepEqual(
        ids.filter((id) => id?.startsWith('mentioned')),
        [],
      )
    }),
    { numRuns: 5_000 },
  )
})
