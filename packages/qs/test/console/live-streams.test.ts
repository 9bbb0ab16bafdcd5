import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LiveStreams } from '../../src/console/live-streams.ts'

const HOUR_MS = 3_600_000

function opener(streams = new LiveStreams()) {
  const ended: string[] = []
  const open = (name: string, address: string, id: string | null = null) => {
    const session = id === null ? null : { id, endsAt: Date.now() + HOUR_MS }
    return streams.add({ session, address, end: ({ entry }) => ended.push(`${name}: ${entry.status}`) })
  }
  return { streams, ended, open }
}

test('one login and one address each have a limit, and leave room for others', () => {
  const { open } = opener()
  for (let index = 0; index < 6; index++) open(`a${index}`, '10.0.0.1', 'first')
  assert.throws(() => open('a6', '10.0.0.9', 'first'), { code: 'TOO_MANY_REQUESTS' })
  for (let index = 0; index < 6; index++) open(`b${index}`, '10.0.0.1', `other ${index}`)
  assert.throws(() => open('b6', '10.0.0.1', 'one more'), {
    code: 'TOO_MANY_REQUESTS',
    message: /10\.0\.0\.1.*HTTP_TRUSTED_PROXIES/,
  })
  for (let index = 0; index < 38; index++) open(`c${index}`, `10.0.1.${index}`)
  assert.throws(() => open('d', '10.0.2.1'), { code: 'CONSOLE_BUSY' })
})

test('a closed stream no longer counts', () => {
  const { open } = opener()
  for (let index = 0; index < 200; index++) open(`${index}`, '10.0.0.1', 'first')()
})

test('a stream ends with its login, by logout or expiry', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const { streams, ended, open } = opener()
  open('mine', '10.0.0.1', 'first')
  open('also mine', '10.0.0.2', 'first')
  open('yours', '10.0.0.1', 'second')
  open('open console', '127.0.0.1')
  const closed = open('closed', '10.0.0.1', 'second')
  streams.endSession('first')
  assert.deepEqual(ended, ['mine: 401', 'also mine: 401'])
  closed()
  ended.length = 0
  t.mock.timers.tick(HOUR_MS)
  assert.deepEqual(ended, ['mine: 401', 'also mine: 401', 'yours: 401'])
})

test('stopping the console ends every stream', () => {
  const { streams, ended, open } = opener()
  open('with a login', '10.0.0.1', 'first')
  open('open console', '127.0.0.1')
  streams.endAll()
  assert.deepEqual(ended, ['with a login: 503', 'open console: 503'])
})
