import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { runQs, startQs, untilReady } from '@qs-telemetry/testing/qs.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import pg from 'pg'
import { MIN_PASSWORD_LENGTH } from '../../src/config/kinds.ts'

/** Settings of a separate stack: its own data directory and free ports. */
async function settings(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'qs-up-'))
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  const [mqtt, ws, http, postgres] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ] as const
  const env = {
    QS_DATA_DIR: join(directory, 'data'),
    MQTT_PORT: String(mqtt),
    MQTT_WS_PORT: String(ws),
    HTTP_PORT: String(http),
    POSTGRES_PORT: String(postgres),
  }
  return { env, httpPort: http, directory }
}

test('qs up runs everything, the commands find it, and data survives Ctrl-C and kill -9', async (t) => {
  const { env, httpPort } = await settings(t)
  const publish = async (id: string) => {
    const event = JSON.stringify({ event_id: id, device_id: 'd', event_type: 't', value: 1 })
    return (await runQs(t, ['publish', event, '--json'], { env })).stdout
  }

  const first = startQs(t, ['up'], { env })
  await untilReady(first, httpPort)
  const password = readFileSync(join(env.QS_DATA_DIR, 'postgres-password'), 'utf8').trim()
  const databaseUrl = `postgresql://qs:${password}@127.0.0.1:${env.POSTGRES_PORT}/qs`
  assert.ok(!`${first.stdout()}${first.stderr()}`.includes(password), 'no password is printed')
  for (const shown of [
    `mqtt://127.0.0.1:${env.MQTT_PORT}`,
    `ws://127.0.0.1:${env.MQTT_WS_PORT}`,
    `http://127.0.0.1:${httpPort}`,
    `postgresql://qs@127.0.0.1:${env.POSTGRES_PORT}/qs`,
    join(env.QS_DATA_DIR, 'postgres-password'),
    'mosquitto_pub',
  ]) {
    assert.ok(first.stdout().includes(shown), shown)
  }
  assert.match(await publish('a'), /"status":"stored"/)
  first.process.kill('SIGINT')
  assert.equal(await first.exit(), 0)

  const second = startQs(t, ['up'], { env })
  await untilReady(second, httpPort)
  assert.match(await publish('a'), /"status":"duplicate"/)
  assert.match(await publish('b'), /"status":"stored"/)
  second.process.kill('SIGKILL')
  await second.exit()

  const third = startQs(t, ['up'], { env })
  await untilReady(third, httpPort)
  assert.match(await publish('b'), /"status":"duplicate"/)
  const verified = await runQs(t, ['verify', '--events', '500', '--json'], { env })
  assert.equal(verified.code, 0, verified.stderr)
  const complete = { ok: true, sent: 500, acked: 500, stored: 500 }
  const nothing = { missing: [], changed: [], rejected: [], unacked: [] }
  assert.deepEqual(JSON.parse(verified.stdout), {
    ...{ ...complete, ...nothing },
    puback: { ...complete, ...nothing, early: [] },
  })
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  const { rows } = await database.query('select event_id from events order by 1')
  const { rows: devices } = await database.query(
    `select silent_after_set from devices where device_id = 'qs-verify'`,
  )
  await database.end()
  assert.deepEqual(
    devices,
    [{ silent_after_set: Number.POSITIVE_INFINITY }],
    'it is never reported as silent',
  )
  assert.deepEqual(rows, [{ event_id: 'a' }, { event_id: 'b' }])
})

test('the demo sends by itself, tail shows it, and a second qs up on the same data names the first', async (t) => {
  const { env, httpPort } = await settings(t)
  const demo = startQs(t, ['up', '--demo'], { env })
  await untilReady(demo, httpPort)
  const tail = startQs(t, ['tail', '--json'], { env })
  await until(() => /demo-.*stored/.test(tail.stdout()), 'a device ack of a demo device')

  const ports = await settings(t)
  const second = await runQs(t, ['up'], { env: { ...ports.env, QS_DATA_DIR: env.QS_DATA_DIR } })
  assert.equal(second.code, 1)
  assert.match(second.stderr, new RegExp(`in use by another qs \\(pid ${demo.pid}\\)`))
})

test('ports in use are named', async (t) => {
  const { env, httpPort } = await settings(t)
  const running = startQs(t, ['up'], { env })
  await untilReady(running, httpPort)
  const other = await settings(t)
  for (const name of ['MQTT_PORT', 'MQTT_WS_PORT', 'HTTP_PORT', 'POSTGRES_PORT'] as const) {
    const { code, stderr } = await runQs(t, ['up'], { env: { ...other.env, [name]: env[name] } })
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`${env[name]}.*in use.*${name}`), stderr)
  }
})

test('--lan refuses a short MQTT_PASSWORD, and says how to generate a longer one', async (t) => {
  const { env } = await settings(t)
  const short = { ...env, MQTT_USERNAME: 'qs', MQTT_PASSWORD: 'x'.repeat(MIN_PASSWORD_LENGTH - 1) }
  const { code, stderr } = await runQs(t, ['up', '--lan'], { env: short })
  assert.equal(code, 2)
  assert.match(stderr, new RegExp(`MQTT_PASSWORD takes ${MIN_PASSWORD_LENGTH} characters or more with --lan`))
  assert.match(stderr, /openssl rand/)
  assert.doesNotMatch(stderr, /xxx/)
})
