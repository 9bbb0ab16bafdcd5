import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  dynamicSecurityMissing,
  OPERATOR,
  startManagedMosquitto,
} from '@qs-telemetry/testing/dynamic-security.ts'
import { FORBIDDEN, type ForbiddenContext, mayDoItsWork } from '@qs-telemetry/testing/forbidden.ts'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { ControlConnection } from '../../src/accounts/control-connection.ts'
import { addDevice, removeDevice } from '../../src/accounts/devices.ts'
import { accountTopics } from '../../src/accounts/operator-login.ts'
import { provision } from '../../src/accounts/provision.ts'
import { deviceRole } from '../../src/accounts/roles.ts'
import { start, tcp } from '../embedded/broker/connecting.ts'

const topics = accountTopics(configOf())
const device = { username: 'board-1', password: 'password of board-1' }
const otherDevice = { username: 'board-2', password: 'password of board-2' }
const revoked = { username: 'board-3', password: 'password of board-3' }

/** Accounts for the attempts, created like `qs device add` does. */
async function prepare(url: string): Promise<Omit<ForbiddenContext, 'protocolVersion'>> {
  const connection = await ControlConnection.open({ url, ca: null, ...OPERATOR })
  for (const { username, password } of [device, otherDevice, revoked]) {
    await addDevice(connection, { deviceId: username, password, topics })
  }
  await removeDevice(connection, revoked.username)
  await connection.close()
  return { url, device, otherDevice, revoked, operator: OPERATOR, ingesterClientId: 'qs-ingester' }
}

const BROKERS = {
  'Mosquitto with dynamic security': {
    skip: dynamicSecurityMissing,
    start: async (t: TestContext) => {
      const { url } = await startManagedMosquitto(t)
      const ingester = { username: 'ingester', password: 'password of the ingester' }
      await provision({ operator: { url, ca: null, ...OPERATOR }, topics, ingester, onDone: () => {} })
      return url
    },
  },
  'the embedded broker': {
    skip: false,
    start: async (t: TestContext) => tcp(await start(t, { credentials: OPERATOR })),
  },
} as const

for (const [name, broker] of Object.entries(BROKERS)) {
  test(`at ${name}`, { skip: broker.skip }, async (t) => {
    const prepared = await prepare(await broker.start(t))
    for (const protocolVersion of [4, 5] as const) {
      const context = { ...prepared, protocolVersion }
      const version = protocolVersion === 4 ? 'MQTT 3.1.1' : 'MQTT 5'
      await t.test(`${version}: a device can do its work`, () => mayDoItsWork(context))
      for (const { what, attempt } of FORBIDDEN) {
        await t.test(`${version}: a device cannot ${what}`, () => attempt(context))
      }
    }
  })
}

/** Roles that allow everything in Mosquitto, and a broker that admits everyone: every attempt must detect this. */
test('each attempt fails if a device may do everything', { skip: dynamicSecurityMissing }, async (t) => {
  const careless = await prepare(await BROKERS['Mosquitto with dynamic security'].start(t))
  const everything = ['#', '$SYS/#', '$CONTROL/#', '$share/+/#']
  const acls = ['publishClientSend', 'publishClientReceive', 'subscribePattern'].flatMap((acltype) =>
    everything.map((topic) => ({ acltype, topic, allow: true })),
  )
  const connection = await ControlConnection.open({ url: careless.url, ca: null, ...OPERATOR })
  await connection.run({ command: 'modifyRole', rolename: deviceRole(device.username), acls })
  await connection.close()
  const open = { ...careless, url: tcp(await start(t)) }

  const unnoticed = async (context: typeof careless) => {
    const passed: string[] = []
    for (const protocolVersion of [4, 5] as const) {
      for (const { what, attempt } of FORBIDDEN) {
        await attempt({ ...context, protocolVersion }).then(
          () => passed.push(`${protocolVersion}: ${what}`),
          () => {},
        )
      }
    }
    return passed
  }
  const [atCareless, atOpen] = [await unnoticed(careless), await unnoticed(open)]
  t.diagnostic(
    `${2 * FORBIDDEN.length - atCareless.length} fail with such a role, ${2 * FORBIDDEN.length - atOpen.length} where everybody may enter`,
  )
  assert.deepEqual(
    atCareless.filter((each) => atOpen.includes(each)),
    [],
  )
})
