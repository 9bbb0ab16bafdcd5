import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import {
  dynamicSecurityMissing,
  OPERATOR,
  startManagedMosquitto,
} from '@qs-telemetry/testing/dynamic-security.ts'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { configOf, startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import { accountTopics } from '../../src/accounts/operator-login.ts'
import { provision } from '../../src/accounts/provision.ts'
import { startAlarms } from '../../src/app/start-alarms.ts'
import type { Finding } from '../../src/doctor/finding.ts'

const INGESTER = { username: 'ingester', password: 'ingester-secret' }

async function start(t: TestContext, config: readonly string[] = []) {
  const { url } = await startManagedMosquitto(t, { config: ['sys_interval 1', ...config] })
  await provision({
    operator: { url, ca: null, ...OPERATOR },
    topics: accountTopics(configOf()),
    ingester: INGESTER,
    onDone: () => {},
  })
  return url
}

test('the operator can run every check; the ingester sees its own rights and the dropped messages', {
  skip: dynamicSecurityMissing,
}, async (t) => {
  const url = await start(t)
  const statuses = async ({ username, password }: typeof OPERATOR) => {
    const { stdout } = await runCommand(['doctor', '--json', '--queue', '100'], {
      MQTT_URL: url,
      MQTT_USERNAME: username,
      MQTT_PASSWORD: password,
      HTTP_PORT: String(await freePort()),
      DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
    })
    const findings = JSON.parse(stdout) as readonly Finding[]
    const wanted = /^broker (subscription|device acks|\$SYS|drops|live tests|message size|session|queue)$/
    return Object.fromEntries(
      findings.filter(({ name }) => wanted.test(name)).map(({ name, status }) => [name, status]),
    )
  }
  const common = {
    'broker subscription': 'ok',
    'broker device acks': 'ok',
    'broker $SYS': 'ok',
    'broker drops': 'ok',
  }
  assert.deepEqual(await statuses(OPERATOR), {
    ...common,
    'broker message size': 'ok',
    'broker session': 'ok',
    'broker queue': 'ok',
  })
  assert.deepEqual(await statuses(INGESTER), { ...common, 'broker live tests': 'unknown' })
})

for (const account of [OPERATOR, INGESTER]) {
  test(`drops become an alarm for the account ${account.username}`, {
    skip: dynamicSecurityMissing,
  }, async (t) => {
    const mqttUrl = await start(t, ['max_queued_messages 5', 'max_inflight_messages 5'])
    const settings = { MQTT_USERNAME: account.username, MQTT_PASSWORD: account.password }
    const { pipeline } = await startPipeline(t, mqttUrl, { settings })
    const alarms = startAlarms(pipeline, { config: configOf(settings), mqttUrl, log: silentLog().log })
    t.after(() => alarms.stop())
    const isKnown = async () => {
      alarms.look()
      const [value] = (await pipeline.metrics.brokerDropped.get()).values
      return value !== undefined && !Number.isNaN(value.value)
    }
    await until(isKnown, 'the counter of the broker is read')

    const sleeper = await connectAsync(mqttUrl, { ...OPERATOR, clientId: 'sleeper', clean: false })
    await sleeper.subscribeAsync('other', { qos: 1 })
    await sleeper.endAsync()
    const sender = await connectAsync(mqttUrl, OPERATOR)
    t.after(() => sender.endAsync(true))
    for (let n = 0; n < 50; n++) await sender.publishAsync('other', 'x', { qos: 1 })
    await until(() => alarms.look().has('broker_drops'), 'the alarm')
  })
}
