import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  dynamicSecurityMissing,
  OPERATOR,
  startManagedMosquitto,
} from '@qs-telemetry/testing/dynamic-security.ts'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { accountTopics } from '../../src/accounts/operator-login.ts'
import { provision } from '../../src/accounts/provision.ts'
import { BrokerAccounts } from '../../src/console/broker-accounts.ts'

test('a console creates accounts if its own account may, and otherwise says why not', {
  skip: dynamicSecurityMissing,
}, async (t) => {
  const { url, kill } = await startManagedMosquitto(t)
  const ingester = { username: 'ingester', password: 'ingester-secret' }
  const topics = accountTopics(configOf())
  await provision({ operator: { url, ca: null, ...OPERATOR }, topics, ingester, onDone: () => {} })
  const doorOf = (settings: Readonly<Record<string, string>>) => new BrokerAccounts(configOf(settings), url)
  const asIngester = { MQTT_USERNAME: ingester.username, MQTT_PASSWORD: ingester.password }
  const asOperator = {
    ...asIngester,
    CONSOLE_MQTT_USERNAME: OPERATOR.username,
    CONSOLE_MQTT_PASSWORD: OPERATOR.password,
  }

  assert.deepEqual(await doorOf({}).state(), { credentials: 'none', credentialsProblem: null })
  const refused = await doorOf(asIngester).state()
  assert.equal(refused.credentials, 'made-elsewhere')
  assert.match(refused.credentialsProblem ?? '', /user ingester may not manage .* set CONSOLE_MQTT_USERNAME/)
  const door = doorOf(asOperator)
  assert.deepEqual(await door.state(), { credentials: 'made-here', credentialsProblem: null })
  assert.ok((await door.add('cellar')).length > 20)
  await kill()
  assert.match((await doorOf(asOperator).state()).credentialsProblem ?? '', /No connection to the broker/)
})
