import assert from 'node:assert/strict'
import { test } from 'node:test'
import { json, startTestConsole } from '@qs-telemetry/testing/console.ts'
import { startConsoleServer } from '@qs-telemetry/testing/console-server.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { watch } from '@qs-telemetry/testing/watch-live.ts'
import { withResolvers } from '../../src/pipeline/promises.ts'

const event = (id: string, fields: object = {}) => ({
  schema: 1,
  event_id: id,
  device_id: 'd',
  event_type: 't',
  value: 1,
  ...fields,
})

test('messages appear when they are committed, with the outcome of each event', async (t) => {
  const { url, publish } = await startTestConsole(t)
  const { response, messages } = await watch(t, `${url}/api/live`)
  const rejected = await watch(t, `${url}/api/live?rejected=true`)
  const other = await watch(t, `${url}/api/live?device=other`)
  assert.equal(response.headers['content-type'], 'text/event-stream')
  await publish('d', [event('a'), event('a'), event('b', { value: {} })])
  await publish('d', event('c'))
  await until(() => messages().length === 2, 'both messages')
  const [first] = messages()
  assert.deepEqual(
    first?.elements.map(({ eventId, outcome, code }) => [eventId, outcome, code]),
    [
      ['a', 'stored', null],
      ['a', 'duplicate', null],
      ['b', 'rejected', 'INVALID_VALUE'],
    ],
  )
  assert.match(first?.payload ?? '', /"event_id":"b"/)
  await until(() => rejected.messages().length === 1, 'the one with a rejection')
  assert.deepEqual(other.messages(), [])
})

test('a page that does not read costs the pipeline nothing, and gets the number of missed messages', async (t) => {
  const { url, publish, query } = await startTestConsole(t)
  const { response, batches, messages } = await watch(t, `${url}/api/live`)
  response.pause()
  const batch = (n: number) =>
    Array.from({ length: 500 }, (_, i) => event(`e${n}-${i}`, { value: 'x'.repeat(200) }))
  // One message per event: far more than fits in the socket buffers and the queue of a listener.
  for (let n = 0; n < 4; n++) await Promise.all(batch(n).map((each) => publish('d', each)))
  assert.deepEqual(await query('select count(*)::int as n from events'), [{ n: 2_000 }])
  response.resume()
  const told = () => messages().length + batches.reduce((sum, { dropped }) => sum + dropped, 0)
  await until(() => told() === 2_000, 'every message is shown or counted')
  assert.ok(batches.some(({ dropped }) => dropped > 0))
})

test('streams end only with the logout of their own session, and a closed one makes room', async (t) => {
  const { url, api } = await startTestConsole(t, { settings: { CONSOLE_OPERATOR_PASSWORD: 'correct horse' } })
  const login = async () => {
    const answer = await api('/api/login', json('POST', { name: 'operator', password: 'correct horse' }))
    return { cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '' }
  }
  const [mine, yours] = [await login(), await login()]
  const live = `${url}/api/live`
  const streams = await Promise.all([watch(t, live, mine), watch(t, live, mine), watch(t, live, yours)])
  for (const { response } of streams) assert.equal(response.statusCode, 200)
  assert.equal((await api('/api/logout', { method: 'POST', headers: mine })).status, 204)
  const isEnded = () => streams.map(({ response }) => response.readableEnded)
  await until(() => isEnded()[0] === true && isEnded()[1] === true, 'both of the session have ended')
  assert.deepEqual(isEnded(), [true, true, false])
  assert.equal((await api('/api/live', { headers: mine })).status, 401)

  // A new login also ends the session.
  const again = json('POST', { name: 'operator', password: 'correct horse' }, yours)
  assert.equal((await api('/api/login', again)).status, 200)
  await until(() => isEnded()[2] === true, 'the stream of the session before')

  const third = await login()
  for (let index = 0; index < 20; index++) {
    const { response } = await until(async () => {
      const stream = await watch(t, live, third)
      return stream.response.statusCode === 200 ? stream : null
    }, `stream ${index}`)
    response.destroy()
  }
})

test('the streams of one address leave room for others', async (t) => {
  const { url } = await startTestConsole(t, {
    settings: { HTTP_TRUSTED_PROXIES: '127.0.0.1', CONSOLE_VIEWER_PASSWORD: 'only looking' },
  })
  const open = async (address: string) => {
    const headers = { 'x-forwarded-for': address }
    const login = await fetch(
      `${url}/api/login`,
      json('POST', { name: 'viewer', password: 'only looking' }, headers),
    )
    const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    const streams = await Promise.all(
      Array.from({ length: 6 }, () => watch(t, `${url}/api/live`, { ...headers, cookie })),
    )
    return streams.map(({ response }) => response.statusCode)
  }
  const six = (status: number) => Array(6).fill(status)
  assert.deepEqual(await open('192.0.2.1'), six(200))
  assert.deepEqual(await open('192.0.2.1'), six(200))
  assert.deepEqual(await open('192.0.2.1'), six(429))
  assert.deepEqual(await open('192.0.2.2'), six(200))
})

for (const call of ['liveProblem', 'listen'] as const)
  test(`a logout while /api/live waits for ${call} is answered with 401, never with an empty 200`, async (t) => {
    const [asked, held] = [withResolvers<void>(), withResolvers<void>()]
    const unlistened: number[] = []
    const password = 'only looking'
    const wait = async (name: typeof call) => {
      if (name !== call) return
      asked.resolve()
      await held.promise
    }
    const server = await startConsoleServer(
      t,
      { CONSOLE_VIEWER_PASSWORD: password },
      {
        liveProblem: () => wait('liveProblem').then(() => null),
        listen: () => wait('listen').then(() => 7),
        unlisten: async (listener) => {
          unlistened.push(listener)
        },
      },
    )
    const payload = { name: 'viewer', password }
    const login = await server.inject({ method: 'POST', url: '/api/login', payload })
    const headers = { cookie: String(login.headers['set-cookie']).split(';')[0] ?? '' }
    const stream = server.inject({ url: '/api/live', headers })
    await asked.promise
    assert.equal((await server.inject({ method: 'POST', url: '/api/logout', headers })).statusCode, 204)
    held.resolve()
    const answer = await stream
    assert.equal(answer.statusCode, 401, `${answer.headers['content-type']}: ${answer.body}`)
    assert.deepEqual(unlistened, [7])
  })
