import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ERRORS, type ErrorEntry } from '../../src/errors/errors.ts'
import { QsError } from '../../src/errors/qs-error.ts'

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url))
const TABLE = 'qs/src/errors/errors.ts'

const sources = new Map(
  ['qs', 'device', 'protocol'].flatMap((name) =>
    readdirSync(join(PACKAGES, name, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => [`${name}/src/${path}`, readFileSync(join(PACKAGES, name, 'src', path), 'utf8')]),
  ),
)

/** Signals that a library, a protocol or another process wants as an Error, and that no person sees as one. */
const SIGNALS = [
  'device/src/errors.ts',
  'qs/src/console/process/remote-host.ts',
  'qs/src/embedded/broker/control-commands.ts',
  'qs/src/embedded/broker/login-queue.ts',
  'qs/src/errors/qs-error.ts',
  'qs/src/mqtt/reasons.ts',
]

test('an error that a person can meet has a code: no other file makes a plain Error', () => {
  const found = [...sources].filter(([, text]) => /\b(new|extends) Error\b/.test(text)).map(([path]) => path)
  assert.deepEqual(found.sort(), SIGNALS)
})

test('every code is used', () => {
  const code = [...sources].filter(([path]) => path !== TABLE).map(([, text]) => text)
  const unused = Object.keys(ERRORS).filter((each) => !code.some((text) => text.includes(`'${each}'`)))
  assert.deepEqual(unused, [])
})

test('every error says what it means and what to do, and no code looks like a SQLSTATE', () => {
  for (const [code, { about, advice }] of Object.entries<ErrorEntry>(ERRORS)) {
    assert.match(code, /^[A-Z]+(_[A-Z]+)+$|^[A-Z]{6,}$/)
    assert.match(about, /^\S.*\.$/, code)
    assert.match(advice, /^\S.*[.…]$/, code)
  }
})

test('a message says what happened, then what to do', () => {
  const { advice } = ERRORS.PORT_IN_USE
  assert.equal(new QsError('PORT_IN_USE', 'Port 1 is in use').message, `Port 1 is in use. ${advice}`)
  assert.equal(new QsError('PORT_IN_USE', 'In use!').message, `In use! ${advice}`)
  assert.equal(new QsError('PORT_IN_USE', 'In use:\n  1\n').message, `In use:\n  1\n${advice}`)
})

// @ts-expect-error a code outside the list does not compile
export const unknown = () => new QsError('NO_SUCH_CODE', '')
