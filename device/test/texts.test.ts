import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { compile, KIT, link, temporary } from './support/compile.ts'

/* What the kit writes and reads as JSON, against JSON of Node. */

const skip = missing('g++', '--version')
let program = ''

before(async () => {
  if (skip) return
  const directory = temporary()
  const sources = [fileURLToPath(new URL('host/texts.cpp', import.meta.url)), join(KIT, 'text.cpp')]
  const objects = [...sources, join(KIT, 'ack-parser.cpp')].map((source, index) =>
    compile(source, join(directory, `${index}.o`)),
  )
  program = await link(await Promise.all(objects), join(directory, 'texts'))
})

/** The lines that the program prints for these lines. */
function results(kind: 'n' | 'q' | 'a', lines: readonly string[]): readonly string[] {
  const input = lines.map((line) => `${kind} ${line}\n`).join('')
  return execFileSync(program, { input }).toString().split('\n').slice(0, lines.length)
}

test('a number has nine digits, and is null if JSON has none', { skip }, () => {
  const given = [
    0, 21.5, -40, 0.1, 1e-5, 0.000123456789, 1e9, 123456789012, 4294967295, 6.02214076e23, 1e-300, 1.5e300,
  ]
  const random = Array.from({ length: 2_000 }, (_, i) => Math.sin(i) * 10 ** ((i % 40) - 20))
  const numbers = [...given, ...random]
  for (const [index, text] of results('n', numbers.map(String)).entries()) {
    const number = numbers[index] ?? Number.NaN
    assert.match(text, /^-?(0|[1-9]\d*)(\.\d*[1-9])?(e-?\d+)?$/)
    assert.ok(
      Math.abs(JSON.parse(text) - number) <= Math.abs(number) * 6e-9,
      `${number} is written as ${text}`,
    )
  }
  assert.deepEqual(results('n', ['nan', 'inf', '-inf', '21.5', '100', '-0.25']), [
    ...['null', 'null', 'null', '21.5', '100', '-0.25'],
  ])
})

test('a string is JSON, whatever is in it', { skip }, () => {
  const texts = ['', 'C', 'a "quoted" \\ word', 'tab\there', '\u0001\u001f', 'Grüße 🙂']
  assert.deepEqual(
    results('q', texts).map((text) => JSON.parse(text)),
    texts,
  )
})

test('device acks are read from objects and arrays of any length, and long texts are cut', { skip }, () => {
  const stored = { event_id: 'b-1', status: 'stored', ts_server: '2026-11-23T18:00:00Z' }
  const warned = {
    event_id: 'b-2',
    status: 'duplicate',
    warning: { code: 'KEY_REPEATED', message: '"status":"no"' },
  }
  const error = { code: 'INVALID_JSON', message: `{"event_id":"x"} \\ ${'m'.repeat(200)}` }
  const rejected = { event_id: 'b-3', status: 'rejected', error }
  const nameless = { status: 'rejected', event_id: null, error: { message: '', code: 'INVALID_UTF8' } }
  const message = error.message.slice(0, 95)
  const read = (acks: unknown) => results('a', [JSON.stringify(acks)])[0]
  assert.equal(read(stored), 'b-1|stored||;')
  assert.equal(
    read([stored, warned, rejected, nameless]),
    `b-1|stored||;b-2|duplicate||;b-3|rejected|INVALID_JSON|${message};|rejected|INVALID_UTF8|;`,
  )
  assert.equal(
    read({ event_id: 'i'.repeat(300), status: 's'.repeat(300) }),
    `${'i'.repeat(95)}|${'s'.repeat(11)}||;`,
  )
  assert.equal(read(Array.from({ length: 20 }, () => stored)), 'b-1|stored||;'.repeat(20))
  assert.equal(read('no device ack'), '')
})
