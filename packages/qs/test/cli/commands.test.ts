import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { runQs } from '@qs-telemetry/testing/qs.ts'

test('publish takes options, an object, an array and JSON lines, and prints the outcome of each', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url)
  const env = { MQTT_URL: broker.url }
  const byOptions = await runQs(
    t,
    ['publish', '--device', 'd', '--type', 'temp', '--value', '21.5', '--unit', 'C', '--meta', '{"a":1}'],
    { env },
  )
  assert.match(byOptions.stdout, /^stored +d-/)
  assert.equal(byOptions.code, 0)

  const mixed = '[{"event_id":"good","event_type":"a"},{"event_id":"bad","event_type":"a","value":{}}]'
  const array = await runQs(t, ['publish', '--device', 'd', mixed], { env })
  assert.match(array.stdout, /stored +good/)
  assert.match(array.stdout, /rejected +bad +INVALID_VALUE/)
  assert.equal(array.code, 1)

  const lines = Array.from(
    { length: 300 },
    (_, n) => `{"device_id":"d${n % 3}","event_type":"n","value":${n}}\n`,
  ).join('\n')
  const fromStdin = await runQs(t, ['publish', '-'], { env, input: lines })
  assert.equal(fromStdin.stdout, '300 stored, 0 duplicate, 0 rejected\n')
  assert.deepEqual(await query(`select count(*)::int as n from events where event_type = 'n'`), [{ n: 300 }])

  const broken = await runQs(t, ['publish', '-'], {
    env,
    input: '{"device_id":"d","event_type":"t"}\nnonsense\n',
  })
  assert.equal(broken.code, 2)
  assert.match(broken.stderr, /line 2 is not JSON/)
})

test('publish without an ingester gives up and says what to do', { skip: mosquittoMissing }, async (t) => {
  const broker = await startMosquitto(t)
  const env = { MQTT_URL: broker.url }
  const { code, stderr } = await runQs(t, ['publish', '--device', 'd', '--type', 't', '--timeout', '1'], {
    env,
  })
  assert.equal(code, 1)
  assert.match(stderr, /No device ack for 1 seconds.*Is an ingester running/)
})

test('simulated boards without a clock keep their spacing', { skip: mosquittoMissing }, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url)
  const size = ['--devices', '3', '--interval', '1m', '--duration', '2h', '--speed', '100000']
  const { code, stderr } = await runQs(t, ['simulate', '--clockless', '1', ...size], {
    env: { MQTT_URL: broker.url },
  })
  assert.equal(code, 0, stderr)
  const devices = await query(`
    select count(ts_device)::int as clocks, extract(epoch from max(ts) - min(ts)) between 6600 and 7800 as spread
    from events group by device_id`)
  assert.deepEqual(devices, new Array(3).fill({ clocks: 0, spread: true }))
})

test('simulate sends what its options say and counts the outcomes', { skip: mosquittoMissing }, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url)
  const args = [
    'simulate',
    '--devices',
    '20',
    '--duration',
    '2h',
    '--speed',
    '100000',
    '--broken',
    '0.02',
    '--json',
  ]
  const { code, stdout, stderr } = await runQs(t, args, { env: { MQTT_URL: broker.url } })
  assert.equal(code, 0, stderr)
  const counts = JSON.parse(stdout) as { stored: number; rejected: number; waiting: number }
  assert.equal(counts.waiting, 0)
  assert.ok(counts.rejected > 0)
  assert.deepEqual(
    await query(
      'select (select count(*)::int from events) as stored, (select count(*)::int from dead_letters) as rejected',
    ),
    [{ stored: counts.stored, rejected: counts.rejected }],
  )
  const [clocks] = await query(
    'select count(*) filter (where not plausible)::int > 0 as in_1970, count(distinct device_id)::int as devices from clock_drift',
  )
  assert.deepEqual(clocks, { in_1970: true, devices: 20 })
})

test('config names each setting, its value and its source, and hides secrets by default', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'qs-config-'))
  t.after(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, '.env'), 'HTTP_PORT=8081\nMQTT_USERNAME=fromdotenv\n')
  writeFileSync(join(directory, 'secret'), 'from-a-file\n')
  const env = {
    MQTT_USERNAME: 'fromenv',
    DATABASE_URL: 'postgresql://u:geheim@h/d',
    MQTT_PASSWORD_FILE: join(directory, 'secret'),
  }
  const run = async (...args: readonly string[]) =>
    (await runQs(t, ['config', ...args], { env, cwd: directory })).stdout
  const shown = JSON.parse(await run('--json', '--show-secrets')) as Record<
    string,
    { value: string | null; source: string }
  >
  assert.deepEqual(shown.HTTP_PORT, { value: '8081', source: '.env' })
  assert.deepEqual(shown.MQTT_USERNAME, { value: 'fromenv', source: 'environment' })
  assert.deepEqual(shown.MQTT_PASSWORD, { value: 'from-a-file', source: `file ${join(directory, 'secret')}` })
  assert.deepEqual(shown.DATABASE_URL, { value: 'postgresql://u:geheim@h/d', source: 'environment' })
  assert.deepEqual(shown.ACK_TEMPLATE, { value: 'qs/v1/{device_id}/acks', source: 'default' })
  assert.deepEqual(shown.MQTT_URL, { value: null, source: 'unset' })
  for (const hidden of [await run(), await run('--json')]) assert.doesNotMatch(hidden, /geheim|from-a-file/)
})
