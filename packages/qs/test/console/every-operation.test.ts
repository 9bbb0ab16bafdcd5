import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import {
  type Access,
  type Case,
  cases,
  inParallel,
  OPERATIONS,
  PASSWORDS,
  plant,
  state,
  UNTOUCHED,
} from '@qs-telemetry/testing/operations.ts'
import { type RawRequest, rawRequest } from '@qs-telemetry/testing/raw-http.ts'

type Actor = 'nobody' | 'viewer' | 'operator'
const ACTORS: readonly Actor[] = ['nobody', 'viewer', 'operator']

/** The answers of the gate, none of which comes from a route. */
const STOPPED: Readonly<Record<Access, Readonly<Record<Actor, number | null>>>> = {
  public: { nobody: null, viewer: null, operator: null },
  viewer: { nobody: 401, viewer: null, operator: null },
  operator: { nobody: 401, viewer: 403, operator: null },
}
const GATE = [401, 403, 421]
/** Minimum number of spellings per path and of undocumented routes, so that the test cannot silently shrink. */
const [SPELLINGS, HIDDEN] = [19, 6]
/** No such route, or a malformed URL. */
const NOWHERE = [400, 404]

test('each operation, in each spelling, answers only those who may use it', async (t) => {
  // Behind a proxy, each request can have a separate address, so that no rate limit answers instead of the gate.
  const settings = { ...PASSWORDS, HTTP_TRUSTED_PROXIES: '127.0.0.1' }
  const running = await startTestConsole(t, { settings })
  const letter = await plant(running)
  const port = Number(new URL(running.url).port)
  const own = [...cases({ letter, authority: `127.0.0.1:${port}` })]
  const foreign = [...cases({ letter, authority: 'evil.example' })]
  let requests = 0
  const ask = (
    { method, target, headers, body }: RawRequest,
    more: Readonly<Record<string, string>> = {},
  ) => {
    requests++
    const address = `10.${requests >> 16}.${(requests >> 8) & 255}.${requests & 255}`
    return rawRequest(port, {
      method,
      target,
      body,
      headers: { 'x-forwarded-for': address, ...headers, ...more },
    })
  }
  const login = async (actor: Actor): Promise<Record<string, string>> => {
    if (actor === 'nobody') return {}
    const password = PASSWORDS[actor === 'viewer' ? 'CONSOLE_VIEWER_PASSWORD' : 'CONSOLE_OPERATOR_PASSWORD']
    const { head } = await ask({ method: 'POST', target: '/api/login', body: { name: actor, password } })
    return { cookie: /set-cookie: ([^;]+)/i.exec(head)?.[1] ?? '' }
  }

  const { paths } = JSON.parse(
    (await ask({ method: 'GET', target: '/api/openapi.json' }, await login('operator'))).body,
  ) as { readonly paths: Readonly<Record<string, object>> }
  const found = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(found.sort(), Object.keys(OPERATIONS).sort(), 'each operation has a decision')

  for (const actor of ACTORS) {
    await t.test(`${actor}, through a foreign name and from a foreign page`, async () => {
      const cookie = await login(actor)
      // A malformed URL is refused before its Host is checked.
      await inParallel(foreign, async (request) => {
        const { status } = await ask(request, cookie)
        assert.ok([421, 400].includes(status), `foreign Host: ${actor}: ${request.name}: ${status}`)
      })
      const page = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', ...cookie }
      const changing = own.filter(({ method }) => method !== 'GET' && method !== 'HEAD')
      await inParallel(changing, async (request) => {
        const { status } = await ask(request, page)
        assert.ok([403, 400].includes(status), `foreign Origin: ${actor}: ${request.name}: ${status}`)
      })
      assert.deepEqual(await state(running), UNTOUCHED)
    })
  }

  for (const actor of ACTORS) {
    await t.test(`${actor}, from the console`, async () => {
      const cookie = await login(actor)
      const check = async (request: Case, headers: Readonly<Record<string, string>>) => {
        const { name, operation, exact } = request
        const { status } = await ask(request, headers)
        const stopped = STOPPED[operation.access][actor]
        const what = `${actor}: ${name}: ${status}`
        if (stopped === null) assert.ok(!exact || !GATE.includes(status), what)
        else if (exact) assert.equal(status, stopped, what)
        else assert.ok(status === stopped || status === 401 || NOWHERE.includes(status), what)
      }
      // These end the session.
      const isLogin = ({ name }: Case) => /^POST \/api\/log(in|out) /.test(name)
      await inParallel(
        own.filter((each) => !isLogin(each)),
        (request) => check(request, cookie),
      )
      await inParallel(own.filter(isLogin), async (request) => check(request, await login(actor)))
      if (actor !== 'operator') assert.deepEqual(await state(running), UNTOUCHED)
    })
  }
  const [done] = await state(running)
  assert.ok(Number(done?.actions) > 0, 'the operator reached the routes')
  // Each operation from the console and through a foreign name; one that changes something also from a foreign page.
  const changes = found.filter((each) => !each.startsWith('GET ')).length
  const least = ACTORS.length * SPELLINGS * (2 * (found.length + HIDDEN) + changes)
  assert.ok(requests >= least, `${requests} requests of at least ${least}`)
  t.diagnostic(`${Object.keys(OPERATIONS).length} operations, ${requests} requests`)
})
