import assert from 'node:assert/strict'
import { test } from 'node:test'
import { json, startTestConsole } from '@qs-telemetry/testing/console.ts'
import { cases, inParallel, OPERATIONS, plant, state, UNTOUCHED } from '@qs-telemetry/testing/operations.ts'
import { type RawRequest, rawRequest } from '@qs-telemetry/testing/raw-http.ts'

const MARKS = ['x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'forwarded', 'via']
const FOREIGN_HOSTS = ['raspberrypi.local', '127.0.0.1.evil.example', '192.168.1.5', 'localhost@evil.example']
const FOREIGN_PAGES: readonly Readonly<Record<string, string>>[] = [
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { 'sec-fetch-site': 'cross-site' },
]

test('an open console answers only to loopback names, without a proxy, and to its own pages', async (t) => {
  const running = await startTestConsole(t)
  const letter = await plant(running)
  const port = Number(new URL(running.url).port)
  let requests = 0
  const ask = (request: RawRequest) => {
    requests++
    return rawRequest(port, request)
  }
  const own = [...cases({ letter, authority: `localhost:${port}` })]
  // Every spelling with one foreign host; with the others, only those that the router accepts.
  const foreign = [
    ...cases({ letter, authority: 'evil.example' }),
    ...FOREIGN_HOSTS.flatMap((authority) => [...cases({ letter, authority })].filter(({ exact }) => exact)),
  ]
  await inParallel(foreign, async ({ name, ...request }) => {
    const { status } = await ask(request)
    assert.ok([421, 400].includes(status), `${request.headers?.host}: ${name}: ${status}`)
  })
  for (const mark of MARKS)
    await inParallel(
      own.filter(({ exact }) => exact),
      async ({ name, headers, ...request }) => {
        const { status, body } = await ask({ ...request, headers: { ...headers, [mark]: '127.0.0.1' } })
        assert.equal(status, 403, `${mark}: ${name}`)
        if (request.method !== 'HEAD')
          assert.match(body, /proxy at 127\.0\.0\.1 .*HTTP_TRUSTED_PROXIES/, name)
      },
    )
  for (const page of FOREIGN_PAGES)
    await inParallel(
      own.filter(({ method }) => method !== 'GET' && method !== 'HEAD'),
      async ({ name, headers, ...request }) => {
        const { status } = await ask({ ...request, headers: { ...headers, ...page } })
        assert.ok([403, 400].includes(status), `${JSON.stringify(page)}: ${name}: ${status}`)
      },
    )
  assert.deepEqual(await state(running), UNTOUCHED)
  assert.equal((await ask({ method: 'GET', target: '/%61pi/devices' })).status, 200)
  assert.equal((await running.api('/api/letters/purge', json('POST', { all: true }))).status, 200)
  // Like curl -X POST: without a body and without a Content-Length.
  assert.equal((await ask({ method: 'POST', target: '/api/simulation/stop' })).status, 200)
  t.diagnostic(`${Object.keys(OPERATIONS).length} operations, ${requests} requests`)
})
