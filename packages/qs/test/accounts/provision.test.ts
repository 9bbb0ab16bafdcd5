import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  dynamicSecurityMissing,
  OPERATOR,
  startManagedMosquitto,
} from '@qs-telemetry/testing/dynamic-security.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import mqtt from 'mqtt'
import { ControlConnection } from '../../src/accounts/control-connection.ts'
import { accountTopics } from '../../src/accounts/operator-login.ts'
import { provision } from '../../src/accounts/provision.ts'
import { listRoles } from '../../src/accounts/queries.ts'
import { QsError } from '../../src/errors/qs-error.ts'

const INGESTER = { username: 'ingester', password: 'ingester-secret' }

const run = async (url: string, password = INGESTER.password, settings = {}) => {
  const done: string[] = []
  await provision({
    operator: { url, ca: null, ...OPERATOR },
    topics: accountTopics(configOf(settings)),
    ingester: { ...INGESTER, password },
    onDone: (what) => done.push(what),
  })
  return done
}

const connect = async (t: TestContext, url: string, options: mqtt.IClientOptions) => {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, ...options }, false)
  t.after(() => client.endAsync(true))
  return client
}

test('provision creates what is missing, repairs what is wrong, and leaves the rest alone', {
  skip: dynamicSecurityMissing,
}, async (t) => {
  const broker = await startManagedMosquitto(t)
  assert.deepEqual(await run(broker.url), [
    'role operator created',
    'account operator has role operator',
    'role ingester created',
    'role anonymous created',
    'account ingester created',
    'group anonymous created',
    'clients without a user belong to group anonymous',
    'denied unless a role allows it: publishClientReceive, unsubscribe',
  ])

  const ingester = await connect(t, broker.url, INGESTER)
  let isClosed = false
  ingester.on('close', () => {
    isClosed = true
  })
  assert.deepEqual(await run(broker.url), [])
  assert.equal(isClosed, false, 'no needless disconnect')

  const operator = await ControlConnection.open({ url: broker.url, ca: null, ...OPERATOR })
  t.after(() => operator.close())
  await operator.run({ command: 'createRole', rolename: 'device:d1', acls: [] })
  await operator.run({
    command: 'removeRoleACL',
    rolename: 'ingester',
    acltype: 'publishClientSend',
    topic: 'qs/v1/deadletter',
  })
  assert.deepEqual(await run(broker.url, 'another-secret'), [
    'role ingester repaired',
    'role device:d1 repaired',
    'account ingester has its new password',
  ])
  await broker.restart()
  assert.deepEqual(await run(broker.url, 'another-secret'), [], 'it survives a restart of the broker')
})

test('changed topic settings update the roles of existing devices', {
  skip: dynamicSecurityMissing,
}, async (t) => {
  const broker = await startManagedMosquitto(t)
  await run(broker.url)
  const operator = await ControlConnection.open({ url: broker.url, ca: null, ...OPERATOR })
  t.after(() => operator.close())
  await operator.run({ command: 'createRole', rolename: 'device:d1', acls: [] })
  await run(broker.url, INGESTER.password, {
    MQTT_EVENTS_TOPIC: '$share/g/lab/+/in',
    ACK_TEMPLATE: 'lab/acks-{device_id}',
    MQTT_DEADLETTER_TOPIC: 'lab/dead',
  })
  const roles = await listRoles(operator)
  const topics = (name: string) => {
    const acls = roles.find(({ rolename }) => rolename === name)?.acls ?? []
    return [...new Set(acls.map(({ topic }) => topic))].sort()
  }
  assert.deepEqual(topics('device:d1'), ['lab/acks-d1', 'lab/d1/in'])
  assert.deepEqual(topics('ingester'), [
    '$SYS/broker/publish/messages/dropped',
    '$SYS/broker/retained messages/count',
    '$SYS/broker/store/messages/count',
    '$share/+/lab/+/in',
    'homeassistant/binary_sensor/+/config',
    'lab/#',
    'lab/+',
    'lab/+/in',
    'lab/dead',
    'qs/v1/alerts',
    'qs/v1/alerts/#',
    'qs/v1/alerts/rules/+',
  ])
  assert.deepEqual(topics('anonymous'), ['lab/+', 'lab/+/in'])
})

test('a broker that is unreachable, refuses, or has no account management gives distinct errors', {
  skip: dynamicSecurityMissing || mosquittoMissing,
}, async (t) => {
  const broker = await startManagedMosquitto(t)
  const problem = async (url: string, login: { username: string | null; password: string | null }) => {
    const connection = await ControlConnection.open({ url, ca: null, ...login }).catch(
      (error: unknown) => error,
    )
    if (connection instanceof QsError) return connection.code
    const error = await (connection as ControlConnection)
      .run({ command: 'getDefaultACLAccess' })
      .catch((each: unknown) => each)
    await (connection as ControlConnection).close()
    return error instanceof QsError ? error.code : 'none'
  }
  await run(broker.url)
  assert.equal(await problem('mqtt://127.0.0.1:1', OPERATOR), 'BROKER_UNREACHABLE')
  assert.equal(await problem(broker.url, { ...OPERATOR, password: 'wrong' }), 'BROKER_LOGIN_REFUSED')
  assert.equal(await problem(broker.url, { username: null, password: null }), 'BROKER_LOGIN_REFUSED')
  assert.equal(await problem(broker.url, INGESTER), 'BROKER_FORBIDS')
  assert.equal(await problem(broker.url, OPERATOR), 'none')
  const plain = await startMosquitto(t)
  assert.equal(await problem(plain.url, OPERATOR), 'NO_ACCOUNT_COMMANDS')
})
