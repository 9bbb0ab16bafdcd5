import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { freshDatabase } from '@qs-telemetry/testing/postgres.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import pg from 'pg'
import type { Finding } from '../../src/doctor/finding.ts'
import { startEmbeddedBroker } from '../../src/embedded/broker/embedded-broker.ts'

type Findings = ReadonlyMap<string, Finding>

async function doctor(
  env: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<{ code: number; findings: Findings }> {
  const { code, stdout, stderr } = await runCommand(['doctor', '--json', ...args], {
    HTTP_PORT: String(await freePort()),
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
    ...env,
  })
  assert.equal(stderr, '')
  const findings = JSON.parse(stdout) as Finding[]
  return { code, findings: new Map(findings.map((finding) => [finding.name, finding])) }
}

function statusOf(findings: Findings, ...names: readonly string[]) {
  return names.map((name) => findings.get(name)?.status)
}

test('a broker and a database that are set up well, without disturbing a running ingester', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t, {
    config: ['upgrade_outgoing_qos true', 'sys_interval 1'],
  })
  const { databaseUrl, pipeline, query } = await startPipeline(t, broker.url)
  const { received } = await listen(t, broker.url)
  const { findings } = await doctor({
    MQTT_URL: broker.url,
    MQTT_EVENTS_TOPIC: '$share/doctor/qs/v1/+/events',
    DATABASE_URL: databaseUrl,
  })
  const good = [
    'broker connection',
    'broker subscription',
    'broker device acks',
    'broker $SYS',
    'broker drops',
    'broker message size',
    'broker window',
    'broker shared subscriptions',
    'broker session',
    'broker queue',
    'broker QoS 0',
    'database connection',
    'database schema',
    'database rights',
    'database connections',
    'database synchronous_commit',
    'clock',
    'dead letters',
    'numbers by the hour',
    '.env',
  ]
  assert.deepEqual(
    good.filter((name) => findings.get(name)?.status !== 'ok').map((name) => findings.get(name) ?? name),
    [],
  )
  assert.match(findings.get('broker accounts')?.detail ?? '', /admits clients without a user name/)
  assert.match(findings.get('broker $SYS')?.detail ?? '', /mosquitto version/)
  assert.match(
    findings.get('disk')?.detail ?? '',
    /are free: how long it lasts is known an hour after the first event/,
  )
  // The test cluster runs without durability settings.
  assert.deepEqual(statusOf(findings, 'database fsync', 'database full_page_writes'), ['problem', 'problem'])

  assert.equal(pipeline.accounting.received, 0)
  assert.deepEqual(await query('select from dead_letters'), [])
  assert.equal(received.has('qs/v1/deadletter'), false)
  await assertNoSessionLeft(t, broker.url)
})

/** Waits until only the sessions of the ingester and of this client remain; Mosquitto counts them under $SYS. */
async function assertNoSessionLeft(t: TestContext, url: string) {
  const counts: number[] = []
  const client = await connectAsync(url)
  t.after(() => client.endAsync(true))
  client.on('message', (_topic, payload) => counts.push(Number(payload.toString())))
  await client.subscribeAsync('$SYS/broker/clients/disconnected')
  await until(() => counts.at(-1) === 0, 'no session of a client that is gone')
}

test('live tests find broker limits that silently lose messages', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t, {
    config: ['max_queued_messages 100', 'max_inflight_messages 20', 'message_size_limit 100000'],
  })
  const { code, findings } = await doctor({ MQTT_URL: broker.url }, '--queue', '500')
  assert.equal(code, 1)
  assert.deepEqual(
    statusOf(
      findings,
      'broker queue',
      'broker message size',
      'broker QoS 0',
      'broker session',
      'database connection',
    ),
    ['problem', 'problem', 'warning', 'ok', 'problem'],
  )
  const queue = findings.get('broker queue')
  assert.match(
    `${queue?.detail} ${queue?.advice}`,
    /1?\d\d of 500 messages .* came back.*max_queued_messages/,
  )
})

test('missing rights are named, and a check that could not run gives the reason', {
  skip: mosquittoMissing,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'qs-acl-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(join(directory, 'acl'), 'topic read qs/v1/+/events\n')
  const broker = await startMosquitto(t, { config: [`acl_file ${join(directory, 'acl')}`] })
  const { findings } = await doctor({ MQTT_URL: broker.url })
  assert.deepEqual(
    statusOf(findings, 'broker connection', 'broker device acks', 'broker $SYS', 'broker live tests'),
    ['ok', 'warning', 'unknown', 'unknown'],
  )
  assert.match(findings.get('broker live tests')?.detail ?? '', /do not come back to this user/)
})

test('a broker that refuses and wrong settings are problems with advice', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t, { config: ['allow_anonymous false', 'per_listener_settings false'] })
  const refused = await doctor({ MQTT_URL: broker.url, MQTT_USERNAME: 'x', MQTT_PASSWORD: 'y' })
  assert.equal(refused.code, 1)
  assert.match(refused.findings.get('broker connection')?.advice ?? '', /MQTT_PASSWORD/)
  const wrong = await doctor({ ACK_QOS: '7' })
  assert.deepEqual([wrong.code, wrong.findings.size], [1, 1])
  assert.match(wrong.findings.get('settings')?.detail ?? '', /ACK_QOS/)
})

test('the embedded broker passes the live tests and publishes nothing under $SYS', async (t) => {
  const broker = await startEmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    wsPort: 0,
    credentials: null,
    accountsFile: null,
    maxPacketBytes: 1 << 24,
    log: silentLog().log,
  })
  t.after(() => broker.stop())
  const { findings } = await doctor({ MQTT_PORT: String(broker.port) })
  assert.deepEqual(
    statusOf(
      findings,
      'broker message size',
      'broker session',
      'broker queue',
      'broker $SYS',
      'broker QoS 0',
    ),
    ['ok', 'ok', 'ok', 'unknown', 'warning'],
  )
})

test('a role without rights, an outdated schema, and another program at HTTP_PORT', async (t) => {
  const databaseUrl = await freshDatabase(t)
  const stranger = createServer((_request, response) => response.end('hello'))
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  t.after(() => stranger.close())
  const { port } = stranger.address() as AddressInfo
  const env = { MQTT_URL: 'mqtt://127.0.0.1:1', DATABASE_URL: databaseUrl, HTTP_PORT: String(port) }
  const empty = await doctor(env)
  assert.deepEqual(statusOf(empty.findings, 'broker connection', 'ingester', 'database schema'), [
    'problem',
    'problem',
    'warning',
  ])

  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  const role = `doctor_${new URL(databaseUrl).pathname.slice(1)}`
  await database.query(`create table events (event_id text); create role ${role} login`)
  t.after(async () => {
    await database.query(`drop owned by ${role}; drop role ${role}`)
    await database.end()
  })
  const url = new URL(databaseUrl)
  url.username = role
  const poor = await doctor({ ...env, DATABASE_URL: url.href })
  assert.equal(poor.findings.get('database rights')?.status, 'problem')
  assert.match(poor.findings.get('database rights')?.detail ?? '', /events select, events insert/)
})
