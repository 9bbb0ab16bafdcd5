import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Device, DeviceList, Problem } from '@qs-telemetry/protocol/api'
import { json, startTestConsole } from '@qs-telemetry/testing/console.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { ERRORS } from '../../src/errors/errors.ts'

interface OpenApi {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly parameters?: readonly Parameter[] }>>>
  >
}

interface Parameter {
  readonly name: string
  readonly required?: boolean
  readonly schema: { readonly default?: unknown }
}

function isProblem(
  { headers, body }: { headers: Headers; body: Problem },
  status: number,
  what: string,
): void {
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/, what)
  assert.equal(body.status, status, what)
  assert.ok(Object.hasOwn(ERRORS, body.code), `${what}: ${body.code}`)
  assert.ok(body.title !== '' && body.detail !== '' && body.type !== '', what)
}

test('every route answers errors as problems, and a parameter with a default is optional', async (t) => {
  const settings = { CONSOLE_OPERATOR_PASSWORD: 'correct horse' }
  const { api } = await startTestConsole(t, { settings })
  const { headers } = await api('/api/login', json('POST', { name: 'operator', password: 'correct horse' }))
  const cookie = (headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const { paths } = (await api<OpenApi>('/api/openapi.json', { headers: { cookie } })).body

  const open = ['/api/session', '/api/login', '/api/logout']
  let routes = 0
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { parameters = [] }] of Object.entries(methods)) {
      const what = `${method} ${path}`
      for (const { name, required, schema } of parameters)
        assert.ok(!(required && schema.default !== undefined), `${what}: ${name} has a default`)
      if (open.includes(path)) continue
      const url = path.replaceAll(/\{\w+\}/g, '1')
      isProblem(await api<Problem>(url, { method: method.toUpperCase() }), 401, what)
      routes++
    }
  }
  assert.ok(routes >= 20, `${routes} routes`)

  const asOperator = { cookie, 'content-type': 'application/json' }
  for (const [what, path, status, init] of [
    ['a malformed URL', '/api/devices/%E0%A4%A', 400, {}],
    ['an invalid parameter', '/api/devices?limit=many', 400, {}],
    ['a missing parameter', '/api/series?device=d', 400, {}],
    ['a body that is not JSON', '/api/devices', 400, { method: 'POST', body: '{' }],
    ['an incomplete body', '/api/devices', 400, { method: 'POST', body: '{}' }],
    ['an unknown path', '/api/nowhere', 404, {}],
    ['an unsupported method', '/api/overview', 404, { method: 'DELETE' }],
    ['no such letter', '/api/letters/7', 404, {}],
  ] as const) {
    const { 'content-type': type, ...rest } = asOperator
    const sent = 'body' in init ? { ...rest, 'content-type': type } : rest
    isProblem(await api<Problem>(path, { ...init, headers: sent }), status, what)
  }
})

test('a query that takes too long is cancelled and reported', async (t) => {
  const { api, query } = await startTestConsole(t, { settings: { CONSOLE_QUERY_TIMEOUT: '200ms' } })
  await query('begin; lock table devices in access exclusive mode')
  const answer = await api<Problem>('/api/devices')
  isProblem(answer, 503, 'a locked table')
  assert.match(answer.body.detail, /longer than CONSOLE_QUERY_TIMEOUT/)
})

test('lists come from the replica, changes go to the primary, and a lone replica is reported as such', async (t) => {
  const replica = await migratedDatabase(t)
  const running = await startTestConsole(t, { settings: { CONSOLE_READ_DATABASE_URL: replica } })
  const { api, query } = running
  await query(`insert into devices (device_id) values ('only-here')`)
  assert.deepEqual((await api<DeviceList>('/api/devices')).body.devices, [])
  const changed = await api<Device>('/api/devices/only-here', json('PATCH', { label: 'L' }))
  assert.equal(changed.body.label, 'L')

  const url = new URL(running.databaseUrl)
  url.searchParams.set('options', '-c default_transaction_read_only=on')
  const alone = await startTestConsole(t, { settings: { CONSOLE_DATABASE_URL: url.href } })
  const refused = await alone.api<Problem>('/api/devices/d', json('PATCH', { label: 'L' }))
  isProblem(refused, 403, 'a replica')
  assert.match(refused.body.detail, /connected to a read-only replica.*CONSOLE_DATABASE_URL to the primary/)
})

test('text that no column can store is 400 in every parameter, and an unknown device is 404', async (t) => {
  const { api } = await startTestConsole(t)
  const { paths } = (await api<OpenApi>('/api/openapi.json')).body
  let asked = 0
  for (const [path, methods] of Object.entries(paths))
    for (const [method, { parameters = [] }] of Object.entries(methods))
      for (const { name } of parameters) {
        const isInPath = path.includes(`{${name}}`)
        const url = path.replaceAll(/\{\w+\}/g, (each) => (each === `{${name}}` ? 'a%00b' : '1'))
        const hasBody = !['get', 'delete'].includes(method)
        const init = hasBody
          ? json(method.toUpperCase(), { payload: '{}' })
          : { method: method.toUpperCase() }
        const answer = await api<Problem>(isInPath ? url : `${url}?${name}=a%00b`, init)
        isProblem(answer, 400, `${method} ${path}: ${name}`)
        asked++
      }
  assert.ok(asked >= 20, `${asked} parameters`)
  isProblem(await api<Problem>('/api/events?from=0000-01-01T00:00:00Z'), 400, 'the year 0')
  isProblem(await api<Problem>('/api/events?from=2016-12-31T23:59:60Z'), 400, 'a leap second')
  for (const label of ['a\0b', 'a\ud800b'])
    isProblem(await api<Problem>('/api/devices/d', json('PATCH', { label })), 400, 'a label')
  isProblem(await api<Problem>('/api/devices/d', json('PATCH', { label: 'L' })), 404, 'an unknown device')
  assert.deepEqual((await api<DeviceList>('/api/devices')).body.devices, [])
})
