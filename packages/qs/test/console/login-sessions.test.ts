import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Session } from '@qs-telemetry/protocol/api'
import { startConsoleServer } from '@qs-telemetry/testing/console-server.ts'

const VIEWER = { name: 'viewer', password: 'only looking' }
/** An address has ten login attempts in five minutes. */
const [TRIES, WINDOW_MS] = [10, 5 * 60_000]

test('the 51st login of an address ends its oldest session, and no session of another address', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const server = await startConsoleServer(t, { CONSOLE_VIEWER_PASSWORD: VIEWER.password })
  const logIn = async (remoteAddress: string) => {
    const answer = await server.inject({
      method: 'POST',
      url: '/api/login',
      remoteAddress,
      payload: VIEWER,
    })
    assert.equal(answer.statusCode, 200)
    return String(answer.headers['set-cookie']).split(';')[0] ?? ''
  }
  const roleOf = async (cookie: string) =>
    (await server.inject({ url: '/api/session', headers: { cookie } })).json<Session>().role

  const other = await logIn('192.0.2.1')
  const cookies: string[] = []
  for (let logins = 1; logins <= 51; logins++) {
    cookies.push(await logIn('192.0.2.2'))
    if (logins % TRIES === 0) t.mock.timers.tick(WINDOW_MS)
  }
  const roles = await Promise.all([other, ...cookies].map(roleOf))
  assert.deepEqual(
    roles.map((role, index) => (role === null ? index : null)).filter((index) => index !== null),
    [1],
    'only the first session of the address has ended',
  )
})
