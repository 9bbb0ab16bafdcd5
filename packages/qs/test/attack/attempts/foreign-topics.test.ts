import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  dynamicSecurityMissing,
  OPERATOR,
  startManagedMosquitto,
} from '@qs-telemetry/testing/dynamic-security.ts'
import { configOf, startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { ControlConnection, type OperatorLogin } from '../../../src/accounts/control-connection.ts'
import { accountTopics } from '../../../src/accounts/operator-login.ts'
import { provision } from '../../../src/accounts/provision.ts'
import { deviceRole } from '../../../src/accounts/roles.ts'
import { foreignTopics } from '../../../src/attack/attempts/foreign-topics.ts'
import { type SetUp, setUp } from '../../../src/attack/set-up.ts'
import { withClient } from '../../../src/database/open-client.ts'

const WAITING = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`

test('a foreign event that is committed after its PUBACK is detected', {
  skip: dynamicSecurityMissing,
}, async (t) => {
  const { url } = await startManagedMosquitto(t)
  const operator = { url, ca: null, ...OPERATOR }
  const config = configOf()
  const topics = accountTopics(config)
  const ingester = { username: 'ingester', password: 'ingester-password-of-the-broker' }
  await provision({ operator, topics, ingester, onDone: () => {} })
  const { databaseUrl, query } = await startPipeline(t, url, {
    settings: { MQTT_USERNAME: ingester.username, MQTT_PASSWORD: ingester.password },
  })
  const target = await setUp({ operator, topics, maxWaitMs: 5_000 })
  try {
    await withClient(databaseUrl, async (database) => {
      const attempt = () => foreignTopics.run({ ...target, config, database, console: null })
      assert.equal((await attempt()).kind, 'held')

      await allowForeignEvents(operator, target)
      await withClient(databaseUrl, async (locker) => {
        await locker.query('begin; lock table events in share row exclusive mode')
        const verdict = attempt()
        await until(
          async () => (await query(WAITING)).length > 0,
          'the foreign event is on its way into the database',
        )
        await locker.query('commit')
        assert.equal((await verdict).kind, 'fell')
      })
    })
  } finally {
    await target.remove()
  }
})

async function allowForeignEvents(operator: OperatorLogin, { attacker, victim }: SetUp): Promise<void> {
  const control = await ControlConnection.open(operator)
  await control.run({
    command: 'addRoleACL',
    rolename: deviceRole(attacker.deviceId),
    acltype: 'publishClientSend',
    topic: victim.eventsTopic,
    allow: true,
    priority: 100,
  })
  await control.close()
}
