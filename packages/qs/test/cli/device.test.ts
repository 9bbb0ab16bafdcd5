import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import {
  dynamicSecurityMissing,
  OPERATOR,
  startManagedMosquitto,
} from '@qs-telemetry/testing/dynamic-security.ts'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { runQs, startQs, untilReady } from '@qs-telemetry/testing/qs.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import mqtt from 'mqtt'
import { start, tcp } from '../embedded/broker/connecting.ts'

interface Printed {
  readonly device_id: string
  readonly username: string
  readonly password: string
  readonly client_id: string
  readonly events_topic: string
  readonly acks_topic: string
}

interface Listed {
  readonly device_id: string
  readonly account: boolean | null
  readonly label: string | null
  readonly room: string | null
  readonly notes: string | null
  readonly status: string | null
  readonly time_zone: string | null
  readonly last_seen: string | null
  readonly events_last_hour: number | null
  readonly drift_seconds: number | null
}

const OPERATOR_ENV = { MQTT_USERNAME: OPERATOR.username, MQTT_PASSWORD: OPERATOR.password }

async function composedLike(t: TestContext) {
  const broker = await startManagedMosquitto(t)
  const env = { ...OPERATOR_ENV, MQTT_URL: broker.url, INGESTER_PASSWORD: 'password of the ingester' }
  const { code, stderr } = await runCommand(['provision'], env)
  assert.equal(code, 0, stderr)
  const settings = { MQTT_USERNAME: 'ingester', MQTT_PASSWORD: env.INGESTER_PASSWORD, ACK_QOS: '1' }
  const { databaseUrl } = await startPipeline(t, broker.url, { settings })
  return { env: { ...env, DATABASE_URL: databaseUrl } as Record<string, string>, url: broker.url }
}

async function embedded(t: TestContext) {
  const url = tcp(await start(t, { credentials: OPERATOR }))
  const { databaseUrl } = await startPipeline(t, url, { settings: { ...OPERATOR_ENV, ACK_QOS: '1' } })
  return { env: { ...OPERATOR_ENV, MQTT_URL: url, DATABASE_URL: databaseUrl }, url }
}

const STACKS = {
  'Mosquitto and an ingester': { prepare: composedLike, skip: dynamicSecurityMissing },
  'the embedded broker': { prepare: embedded, skip: false },
} as const

for (const [name, { prepare, skip }] of Object.entries(STACKS)) {
  test(`with ${name}: a device is added, works, is listed, rotated and removed`, { skip }, async (t) => {
    const { env, url } = await prepare(t)
    const json = async <T>(...args: readonly string[]) => {
      const { code, stdout, stderr } = await runCommand(['device', ...args, '--json'], env)
      assert.equal(code, 0, stderr)
      return JSON.parse(stdout) as T
    }
    const list = async () => new Map((await json<Listed[]>('ls')).map((each) => [each.device_id, each]))

    const added = await json<Printed>('add', 'kitchen', '--label', 'Window', '--time-zone', 'Europe/Berlin')
    assert.deepEqual([added.username, added.client_id], ['kitchen', 'kitchen'])
    const before = (await list()).get('kitchen')
    assert.deepEqual([before?.account, before?.label, before?.time_zone], [true, 'Window', 'Europe/Berlin'])
    assert.deepEqual([before?.last_seen, before?.events_last_hour], [null, 0])
    const again = await runCommand(['device', 'add', 'kitchen'], env)
    assert.match(again.stderr, /already has an account.*qs device rotate kitchen/)

    const bystander = await json<Printed>('add', 'cellar')
    const board = await connectBoard(t, url, added)
    const other = await connectBoard(t, url, bystander)
    const event = {
      schema: 1,
      event_id: 'k-1',
      device_id: 'kitchen',
      event_type: 'temp',
      value: 1,
      ts_device: Date.now() - 3_000,
    }
    await board.client.publishAsync(added.events_topic, JSON.stringify(event), { qos: 1 })
    await until(() => board.heard.some((each) => each.includes('"stored"')), 'its device ack')
    const seen = (await list()).get('kitchen')
    assert.ok(seen?.last_seen)
    assert.equal(seen.events_last_hour, 1)
    assert.ok(Math.abs((seen.drift_seconds ?? 0) + 3) < 2, String(seen.drift_seconds))
    assert.equal(seen.label, 'Window', 'the ingester leaves it alone')

    const rotated = await json<Printed>('rotate', 'kitchen')
    await until(() => board.isClosed(), 'the old connection ends')
    await assert.rejects(connectBoard(t, url, added), /not authorized|bad user ?name/i)
    const back = await connectBoard(t, url, rotated)
    assert.equal(back.sessionPresent, true, 'its session stays')

    for (const [command, text] of [
      ['rename', 'Door'],
      ['room', 'Hall'],
      ['note', 'new battery'],
    ] as const)
      await json(command, 'kitchen', text)
    const described = (await list()).get('kitchen')
    assert.deepEqual([described?.label, described?.room, described?.notes], ['Door', 'Hall', 'new battery'])
    await json('note', 'kitchen', '')
    await json('rename', 'kitchen', 'Window')
    await json('room', 'kitchen', ' ')
    await json('archive', 'kitchen')
    assert.equal((await list()).has('kitchen'), false)
    const archive = await json<Listed[]>('ls', '--all')
    assert.deepEqual(
      archive.filter(({ status }) => status === 'archived').map(({ device_id, notes }) => [device_id, notes]),
      [['kitchen', null]],
    )
    await json('unarchive', 'kitchen')
    assert.match((await runCommand(['device', 'archive', 'nobody'], env)).stderr, /There is no device nobody/)

    await json('rm', 'kitchen')
    await until(() => back.isClosed(), 'its connection ends')
    await assert.rejects(connectBoard(t, url, rotated), /not authorized|bad user ?name/i)
    const after = (await list()).get('kitchen')
    assert.deepEqual([after?.account, after?.events_last_hour], [false, 1], 'its events stay')
    assert.equal(other.isClosed(), false, 'no other client is disconnected')
    for (const command of ['rm', 'rotate']) {
      const { stderr } = await runCommand(['device', command, 'kitchen'], env)
      assert.match(stderr, /There is no account kitchen/)
    }
    const table = (await runCommand(['device', 'ls'], env)).stdout
    assert.match(table, /^DEVICE +ACCOUNT/)
    assert.match(table, /^kitchen +no +20\d\d-.* 1 +-3\.\d s +– +– +Window$/m)

    const csv = join(mkdtempSync(join(tmpdir(), 'qs-list-')), 'boards.csv')
    t.after(() => rmSync(dirname(csv), { recursive: true }))
    writeFileSync(csv, 'device_id,label,room\ncellar,Freezer,Cellar\nattic,"Roof, north",Attic\n')
    const many = await json<Printed[]>('add', '--csv', csv)
    assert.deepEqual(
      many.map(({ username }) => username),
      ['attic'],
      'the other has an account already',
    )
    const attic = await connectBoard(t, url, many[0] as Printed)
    assert.deepEqual(
      [(await list()).get('attic')?.label, (await list()).get('cellar')?.room],
      ['Roof, north', 'Cellar'],
    )
    const unconfirmed = await runCommand(['device', 'rm', 'attic', '--data'], env)
    assert.match(unconfirmed.stderr, /Delete attic with all its events for good\?.*--yes/)
    const removed = await json<{ account: boolean; events: number }>('rm', 'attic', '--data', '--yes')
    assert.deepEqual([removed.account, removed.events], [true, 0])
    await until(() => attic.isClosed(), 'its connection ends')
    assert.equal((await list()).has('attic'), false)
  })
}

test('with EVENT_ID_RULE=device a device that shares event ids with another is added with a warning', async (t) => {
  const url = tcp(await start(t, { credentials: OPERATOR }))
  const env = { ...OPERATOR_ENV, MQTT_URL: url }
  const add = async (deviceId: string, settings: Readonly<Record<string, string>> = {}) => {
    const { code, stderr } = await runCommand(['device', 'add', deviceId, '--json'], { ...env, ...settings })
    assert.equal(code, 0, stderr)
    return stderr
  }
  const rule = { EVENT_ID_RULE: 'device' }
  assert.equal(await add('esp32-kitchen', rule), '')
  assert.match(
    await add('esp32', rule),
    /^\S*esp32 and esp32-kitchen share event ids\. .*none begins with another/,
  )
  assert.equal(await add('esp33', rule), '', 'qs doctor, not this command, reports pairs of other devices')
  assert.equal(await add('esp32-cellar'), '', 'without the rule no device has ids of its own')
})

test('names in use, invalid ids and weak passwords are refused without asking the broker', async (t) => {
  const env = { ...OPERATOR_ENV, MQTT_URL: 'mqtt://127.0.0.1:1' }
  const refused = async (id: string, ...args: readonly string[]) => {
    const { code, stderr } = await runCommand(['device', 'add', id, ...args], env)
    assert.equal(code, 2, stderr)
    return stderr
  }
  for (const id of ['operator', 'ingester', 'qs-ingester', 'qs-ingester-2']) {
    assert.match(await refused(id), /name of an account or of an ingester/)
  }
  for (const id of ['a/b', '+', '']) assert.match(await refused(id), /cannot be a device id/)
  assert.match(await refused('d1', '--time-zone', 'Mars'), /IANA time zone/)
  const weak = await runQs(t, ['device', 'add', 'd1', '--password-stdin'], { env, input: 'short\n' })
  assert.equal(weak.code, 2)
  assert.match(weak.stderr, /12 characters/)
  const unreachable = await runCommand(['device', 'add', 'd1'], env)
  assert.match(unreachable.stderr, /No connection to the broker at .*Is it running/)
})

test('ls shows what it can, with a note; no device is added if its label cannot be stored', {
  skip: dynamicSecurityMissing,
}, async (t) => {
  const broker = await startManagedMosquitto(t)
  const env = { ...OPERATOR_ENV, MQTT_URL: broker.url, DATABASE_URL: 'postgresql://qs@127.0.0.1:1/qs' }
  const labelled = await runCommand(['device', 'add', 'd1', '--label', 'x'], env)
  assert.match(labelled.stderr, /No connection to PostgreSQL at /)
  const input = 'a password of my own\n'
  const own = await runQs(t, ['device', 'add', 'd1', '--password-stdin', '--snippet', 'none'], { env, input })
  assert.equal(own.code, 0, own.stderr)
  assert.match(own.stdout, /password +a password of my own/)
  const { code, stdout, stderr } = await runCommand(['device', 'ls', '--json'], env)
  assert.equal(code, 0, stderr)
  assert.match(stderr, /note: device activity unknown/)
  const [device] = JSON.parse(stdout) as Listed[]
  assert.deepEqual([device?.device_id, device?.account, device?.events_last_hour], ['d1', true, null])
  const neither = await runCommand(['device', 'ls'], { ...env, MQTT_URL: 'mqtt://127.0.0.1:1' })
  assert.match(neither.stderr, /Neither the broker nor the database/)
})

test('qs up keeps the device accounts across a restart, in a file that no other user can read', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'qs-device-'))
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  const [mqttPort, ws, http, postgres] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const env = {
    ...OPERATOR_ENV,
    QS_DATA_DIR: join(directory, 'data'),
    MQTT_PORT: String(mqttPort),
    MQTT_WS_PORT: String(ws),
    HTTP_PORT: String(http),
    POSTGRES_PORT: String(postgres),
    LOG_LEVEL: 'info',
  }
  const first = startQs(t, ['up'], { env })
  await untilReady(first, http)
  const { code, stdout, stderr } = await runCommand(
    ['device', 'add', 'kitchen', '--label', 'Window', '--json'],
    env,
  )
  assert.equal(code, 0, stderr)
  const printed = JSON.parse(stdout) as Printed
  const file = join(env.QS_DATA_DIR, 'mqtt-accounts.json')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.ok(!readFileSync(file, 'utf8').includes(printed.password), 'the password is not in it')
  first.process.kill('SIGKILL')
  await first.exit()

  await untilReady(startQs(t, ['up'], { env }), http)
  const board = await connectBoard(t, `mqtt://127.0.0.1:${mqttPort}`, printed)
  const event = { schema: 1, event_id: 'k-1', device_id: 'kitchen', event_type: 'temp', value: 1 }
  await board.client.publishAsync(printed.events_topic, JSON.stringify(event), { qos: 1 })
  await until(() => board.heard.some((each) => each.includes('"stored"')), 'its device ack')
})

/** A board with a durable session, like an ESP32 that sleeps. */
async function connectBoard(
  t: TestContext,
  url: string,
  { username, password, client_id, acks_topic }: Printed,
) {
  const client = mqtt.connect(url, {
    protocolVersion: 4,
    reconnectPeriod: 0,
    clean: false,
    username,
    password,
    clientId: client_id,
  })
  t.after(() => client.endAsync(true))
  const heard: string[] = []
  let isClosed = false
  client.on('message', (_topic, payload) => heard.push(payload.toString()))
  client.on('close', () => {
    isClosed = true
  })
  const sessionPresent = await new Promise<boolean>((resolve, reject) => {
    client.once('connect', (packet) => resolve(packet.sessionPresent))
    client.once('error', reject)
  })
  client.on('error', () => {})
  await client.subscribeAsync(acks_topic, { qos: 1 })
  return { client, heard, sessionPresent, isClosed: () => isClosed }
}
