import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import type { Session } from '@qs-telemetry/protocol/api'
import { json, type RunningConsole, startTestConsole } from '@qs-telemetry/testing/console.ts'

const PASSWORDS = { CONSOLE_OPERATOR_PASSWORD: 'correct horse', CONSOLE_VIEWER_PASSWORD: 'only looking' }

async function login(
  { api }: RunningConsole,
  name: string,
  password: string,
  headers: Record<string, string> = {},
) {
  const answer = await api<Session>('/api/login', json('POST', { name, password }, headers))
  return { ...answer, cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '' }
}

/** Sends a given Host header, which fetch does not allow. */
function statusOf(url: string, headers: Record<string, string>, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { headers, method }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

test('on loopback it is open to programs and its own pages, and not to foreign pages', async (t) => {
  const { api, url } = await startTestConsole(t)
  assert.deepEqual((await api<Session>('/api/session')).body, {
    loginNeeded: false,
    loginPossible: false,
    role: 'operator',
  })
  const stop = `${url}/api/simulation/stop`
  assert.equal(await statusOf(stop, {}, 'POST'), 200)
  assert.equal(await statusOf(stop, { origin: url }, 'POST'), 200)
  assert.equal(await statusOf(stop, { origin: 'https://evil.example' }, 'POST'), 403)
  assert.equal(await statusOf(stop, { origin: 'null' }, 'POST'), 403)
  assert.equal(await statusOf(stop, { 'sec-fetch-site': 'cross-site' }, 'POST'), 403)
  // A foreign name that resolves to this address (DNS rebinding).
  assert.equal(await statusOf(`${url}/api/devices`, { host: 'evil.example' }), 421)
  assert.equal(await statusOf(`${url}/`, { host: 'evil.example', accept: 'text/html' }), 421)
  assert.equal(await statusOf(`${url}/healthz`, { host: 'evil.example' }), 200)
})

test('with passwords: anonymous, viewer, operator; health and metrics stay open', async (t) => {
  const running = await startTestConsole(t, { settings: PASSWORDS })
  const { api, url, query } = running
  for (const path of [
    '/api/devices',
    '/api/overview',
    '/api/letters',
    '/api/live',
    '/api/docs/',
    '/api/openapi.json',
  ])
    assert.equal((await api(path)).status, 401, path)
  for (const path of ['/healthz', '/readyz', '/metrics']) assert.equal((await api(path)).status, 200, path)
  assert.deepEqual((await api<Session>('/api/session')).body, {
    loginNeeded: true,
    loginPossible: true,
    role: null,
  })

  assert.equal((await login(running, 'operator', 'wrong')).status, 401)
  const viewer = await login(running, 'viewer', PASSWORDS.CONSOLE_VIEWER_PASSWORD)
  assert.equal(viewer.body.role, 'viewer')
  const setCookie = viewer.headers.get('set-cookie') ?? ''
  for (const attribute of ['HttpOnly', 'SameSite=Strict']) assert.match(setCookie, new RegExp(attribute))
  assert.doesNotMatch(setCookie, /Secure/)
  const asViewer = { cookie: viewer.cookie, origin: url }
  assert.equal((await api('/api/devices', { headers: asViewer })).status, 200)
  assert.equal((await api('/api/letters/purge', json('POST', { all: true }, asViewer))).status, 403)

  const operator = await login(running, 'operator', PASSWORDS.CONSOLE_OPERATOR_PASSWORD)
  const asOperator = { cookie: operator.cookie }
  assert.equal((await api('/api/letters/purge', json('POST', { all: true }, asOperator))).status, 200)
  const foreign = { ...asOperator, origin: 'https://evil.example' }
  assert.equal((await api('/api/letters/purge', json('POST', { all: true }, foreign))).status, 403)

  assert.equal((await api('/api/logout', { method: 'POST', headers: asOperator })).status, 204)
  assert.equal((await api('/api/devices', { headers: asOperator })).status, 401)
  const log = await query('select actor, action from audit_log order by audit_id')
  assert.deepEqual(
    log.map(({ actor, action }) => `${actor}: ${action}`),
    ['nobody: login refused', 'viewer: login', 'operator: login', 'operator: letters purged'],
  )
})

test('login attempts are limited, and behind TLS the cookie is Secure', async (t) => {
  const running = await startTestConsole(t, { settings: { ...PASSWORDS, HTTP_TRUSTED_PROXIES: '127.0.0.1' } })
  const proxied = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.7' }
  const good = await login(running, 'operator', PASSWORDS.CONSOLE_OPERATOR_PASSWORD, proxied)
  assert.match(good.headers.get('set-cookie') ?? '', /Secure/)
  const statuses: number[] = []
  for (let index = 0; index < 12; index++)
    statuses.push((await login(running, 'operator', `guess ${index}`, proxied)).status)
  assert.equal(statuses.at(-1), 429)
  // Even the right password is refused from this address, but not from another.
  assert.equal((await login(running, 'operator', PASSWORDS.CONSOLE_OPERATOR_PASSWORD, proxied)).status, 429)
  assert.equal((await login(running, 'operator', PASSWORDS.CONSOLE_OPERATOR_PASSWORD)).status, 200)
})

test('on another address without a password, every request is refused', async (t) => {
  const { api } = await startTestConsole(t, { settings: { HTTP_HOST: '0.0.0.0' } })
  assert.deepEqual((await api<Session>('/api/session')).body, {
    loginNeeded: true,
    loginPossible: false,
    role: null,
  })
  assert.equal((await api('/api/devices')).status, 401)
  assert.equal((await api('/api/login', json('POST', { name: 'operator', password: '' }))).status, 400)
  assert.equal((await api('/api/login', json('POST', { name: 'operator', password: 'x' }))).status, 401)
})

test('every answer of the console forbids foreign content', async (t) => {
  const { url } = await startTestConsole(t)
  for (const path of ['/', '/devices/x', '/api/devices', '/api/nothing']) {
    const { headers } = await fetch(url + path, { headers: { accept: 'text/html' } })
    const policy = headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'.*script-src 'self'/, path)
    assert.doesNotMatch(policy, /unsafe/, path)
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path)
  }
})

test('an account is created for a device if the broker requires one', async (t) => {
  const { api } = await startTestConsole(t, {
    settings: { MQTT_USERNAME: 'boss', MQTT_PASSWORD: 'of them all' },
  })
  const add = (deviceId: string) =>
    api<{ password: string; snippets: Record<string, string> }>('/api/devices', json('POST', { deviceId }))
  const { status, body } = await add('kitchen')
  assert.equal(status, 200)
  assert.match(body.password, /^[0-9a-f]{32}$/)
  assert.ok(body.snippets.arduino?.includes(body.password))
  assert.equal((await add('kitchen')).status, 409)
  assert.equal((await add('a/b')).status, 400)
})
