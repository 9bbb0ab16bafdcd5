import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import mqtt from 'mqtt'
import { ControlConnection } from '../../../src/accounts/control-connection.ts'
import { addDevice, listDeviceAccounts, removeDevice } from '../../../src/accounts/devices.ts'
import { accountTopics } from '../../../src/accounts/operator-login.ts'
import { provision } from '../../../src/accounts/provision.ts'
import { covers } from '../../../src/embedded/broker/acl.ts'
import { closed, connect, received, start, tcp } from './connecting.ts'

const OPERATOR = { username: 'operator', password: 'secret of the operator' }
const topics = accountTopics(configOf())
const ACCOUNT = { username: 'gateway' }
const ALL_RIGHTS = ['publishClientSend', 'publishClientReceive', 'subscribePattern'].map((acltype) => ({
  ...{ acltype, topic: '#', allow: true },
}))
const board = { username: 'board-1', password: 'password of board-1', clientId: 'board-1' }

async function operatorOf(t: TestContext, url: string): Promise<ControlConnection> {
  const connection = await ControlConnection.open({ url, ca: null, ...OPERATOR })
  t.after(() => connection.close())
  return connection
}

const add = (connection: ControlConnection, deviceId: string) =>
  addDevice(connection, { deviceId, password: `password of ${deviceId}`, topics })

test('the accounts file is private, complete after each change, and a corrupt one stops the start', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'qs-accounts-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const accountsFile = join(directory, 'mqtt-accounts.json')
  writeFileSync(`${accountsFile}.new`, 'left by a crash', { mode: 0o644 })
  const broker = await start(t, { credentials: OPERATOR, accountsFile })
  const connection = await operatorOf(t, tcp(broker))
  for (const id of ['board-1', 'board-2', 'bord é "3"']) await add(connection, id)
  await removeDevice(connection, 'board-2')
  assert.equal(statSync(accountsFile).mode & 0o777, 0o600)
  assert.ok(!readFileSync(accountsFile, 'utf8').includes('password of'))

  const next = await start(t, { credentials: OPERATOR, accountsFile })
  assert.deepEqual(await listDeviceAccounts(await operatorOf(t, tcp(next))), ['board-1', 'bord é "3"'])
  await connect(t, tcp(next), board)

  writeFileSync(accountsFile, '{"version":1')
  await assert.rejects(start(t, { credentials: OPERATOR, accountsFile }), /cannot be read.*qs device add/)
})

test("failing commands are refused one by one with Mosquitto's error texts", async (t) => {
  const connection = await operatorOf(t, tcp(await start(t, { credentials: OPERATOR })))
  const refusal = (command: string, fields: object = {}) =>
    connection.run({ command, ...fields }).then(
      () => null,
      (error: Error) => error.cause,
    )
  await add(connection, 'board-1')
  assert.equal(await refusal('createClient', { username: 'board-1', password: 'x' }), 'Client already exists')
  assert.equal(
    await refusal('createClient', { username: 'operator', password: 'x' }),
    'Client already exists',
  )
  assert.equal(await refusal('createRole', { rolename: 'device:board-1', acls: [] }), 'Role already exists')
  assert.equal(
    await refusal('createClient', { username: 'a', password: 'x', roles: [{ rolename: 'none' }] }),
    'Role not found',
  )
  assert.equal(await refusal('deleteClient', { username: 'operator' }), 'Client not found')
  assert.equal(await refusal('setClientPassword', { username: 'none', password: 'x' }), 'Client not found')
  assert.equal(
    await refusal('createRole', { rolename: 'r', acls: [{ acltype: 'all' }] }),
    'Invalid/missing acls',
  )
  assert.equal(await refusal('createClient', { username: 'b' }), 'Invalid/missing password')
  assert.equal(await refusal('deleteGroup'), 'Unknown command')
})

test('a large fleet is listed completely', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'qs-accounts-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const accountsFile = join(directory, 'mqtt-accounts.json')
  const ids = Array.from({ length: 1_001 }, (_, index) => `board-${String(index).padStart(4, '0')}`)
  const password = { salt: '', hash: '' }
  const accounts = ids.map((id) => ({ username: id, clientId: id, password, roles: [`device:${id}`] }))
  writeFileSync(accountsFile, JSON.stringify({ version: 1, accounts, roles: [] }))
  const broker = await start(t, { credentials: OPERATOR, accountsFile })
  assert.deepEqual(await listDeviceAccounts(await operatorOf(t, tcp(broker))), ids)
})

test('a removed device is disconnected, its session ends, its will is dropped; an MQTT 5 client gets the reason', async (t) => {
  const url = tcp(await start(t, { credentials: OPERATOR }))
  const connection = await operatorOf(t, url)
  await add(connection, 'board-1')
  const watcher = await connect(t, url, OPERATOR)
  const heard = received(watcher)
  await watcher.subscribeAsync('#')
  const client = await connect(t, url, {
    ...board,
    protocolVersion: 5,
    clean: false,
    properties: { sessionExpiryInterval: 600 },
    will: { topic: 'qs/v1/board-1/events', payload: Buffer.from('will'), qos: 1, retain: false },
  })
  await client.subscribeAsync('qs/v1/board-1/acks', { qos: 1 })
  const reasons: (number | undefined)[] = []
  client.on('disconnect', ({ reasonCode }) => reasons.push(reasonCode))
  const end = closed(client)
  await removeDevice(connection, 'board-1')
  await end
  assert.deepEqual(reasons, [0x98])

  await watcher.publishAsync('last', 'word', { qos: 1 })
  await until(() => heard.includes('last: word'), 'the last word')
  assert.deepEqual(heard, ['last: word'])
  await add(connection, 'board-1')
  const again = mqtt.connect(url, { protocolVersion: 4, reconnectPeriod: 0, ...board, clean: false })
  t.after(() => again.endAsync(true))
  const connack = await new Promise<{ readonly sessionPresent: boolean }>((resolve, reject) => {
    again.once('connect', resolve)
    again.once('error', reject)
  })
  assert.equal(connack.sessionPresent, false)
})

test('accounts without a bound client id end with their sessions, and use no client id that is bound', async (t) => {
  const url = tcp(await start(t, { credentials: OPERATOR }))
  const connection = await operatorOf(t, url)
  await add(connection, 'board-1')
  await connection.run({ command: 'createRole', rolename: 'all', acls: ALL_RIGHTS })
  const create = () =>
    connection.run({ ...ACCOUNT, command: 'createClient', password: 'p', roles: [{ rolename: 'all' }] })
  await create()
  const login = { username: ACCOUNT.username, password: 'p' }
  await assert.rejects(connect(t, url, { ...login, clientId: 'board-1' }), { code: 4 })
  const gone = await connect(t, url, { ...login, clientId: 'gone', clean: false })
  await gone.endAsync()
  const there = await connect(t, url, { ...login, clientId: 'there', clean: false })
  const end = closed(there)
  await connection.run({ ...ACCOUNT, command: 'deleteClient' })
  await end
  await create()
  for (const clientId of ['gone', 'there']) {
    const again = mqtt.connect(url, {
      protocolVersion: 4,
      reconnectPeriod: 0,
      ...login,
      clientId,
      clean: false,
    })
    t.after(() => again.endAsync(true))
    const sessionPresent = await new Promise<boolean>((resolve, reject) => {
      again.once('connect', (connack) => resolve(connack.sessionPresent))
      again.once('error', reject)
    })
    assert.equal(sessionPresent, false, clientId)
  }
})

test('a bound account ends a session that the operator has made with its client id', async (t) => {
  const url = tcp(await start(t, { credentials: OPERATOR }))
  const connection = await operatorOf(t, url)
  const before = await connect(t, url, { ...OPERATOR, clientId: 'board-1', clean: false })
  await add(connection, 'board-1')
  const end = closed(before)
  const own = await connect(t, url, { ...board, clean: false })
  await end
  await own.publishAsync('qs/v1/board-1/events', 'x', { qos: 1 })
  await own.endAsync()
  await connect(t, url, { ...OPERATOR, clientId: 'board-1', clean: false })
})

test('a role that is deleted and created again gives no rights to the accounts that had the older one', async (t) => {
  const url = tcp(await start(t, { credentials: OPERATOR }))
  const connection = await operatorOf(t, url)
  const createRole = () => connection.run({ command: 'createRole', rolename: 'all', acls: ALL_RIGHTS })
  await createRole()
  await connection.run({
    ...ACCOUNT,
    ...{ command: 'createClient', password: 'p', roles: [{ rolename: 'all' }] },
  })
  const client = await connect(t, url, { username: ACCOUNT.username, password: 'p' })
  const end = closed(client)
  await connection.run({ command: 'deleteRole', rolename: 'all' })
  await end
  await createRole()
  const data = await connection.run({ ...ACCOUNT, command: 'getClient' })
  assert.deepEqual(data, { client: { ...ACCOUNT, roles: [] } })
})

test('on loopback without credentials no rules apply, and accounts can be prepared', async (t) => {
  const url = tcp(await start(t))
  const connection = await ControlConnection.open({ url, ca: null, username: null, password: null })
  t.after(() => connection.close())
  await add(connection, 'board-1')
  assert.deepEqual(await listDeviceAccounts(connection), ['board-1'])
  const anybody = await connect(t, url)
  const heard = received(anybody)
  await anybody.subscribeAsync('#')
  await anybody.publishAsync('qs/v1/board-2/events', 'x', { qos: 1 })
  await until(() => heard.length > 0, 'the message')
})

test('qs provision reports that this broker needs no provisioning', async (t) => {
  const url = tcp(await start(t, { credentials: OPERATOR }))
  const ingester = { username: 'ingester', password: 'password of the ingester' }
  await assert.rejects(
    provision({ operator: { url, ca: null, ...OPERATOR }, topics, ingester, onDone: () => {} }),
    { code: 'NO_PROVISIONING_NEEDED' },
  )
})

test('a pattern covers a topic filter if it matches all that the filter matches', () => {
  for (const [pattern, filter] of [
    ['a/+', 'a/b'],
    ['a/+', 'a/+'],
    ['a/#', 'a/+/c'],
    ['a/#', 'a'],
    ['#', '+/b'],
    ['$share/+/a/+', '$share/g/a/+'],
  ] as const) {
    assert.ok(covers(pattern, filter), `${pattern} ${filter}`)
  }
  for (const [pattern, filter] of [
    ['a/+', 'a/#'],
    ['a/+', 'a/b/c'],
    ['a/+', 'a'],
    ['a/b', 'a/+'],
    ['+/+', '#'],
    ['#', '$SYS/#'],
    ['+/a', '$share/a'],
  ] as const) {
    assert.ok(!covers(pattern, filter), `${pattern} ${filter}`)
  }
})
