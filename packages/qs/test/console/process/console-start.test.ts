import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { startQs, untilReady } from '@qs-telemetry/testing/qs.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import pg from 'pg'

const FORGETFUL = `--import=${fileURLToPath(new URL('./route-without-access.mjs', import.meta.url))}`

async function ingestEnv(t: TestContext) {
  const broker = await startMosquitto(t)
  const port = await freePort()
  const databaseUrl = await migratedDatabase(t)
  return { MQTT_URL: broker.url, DATABASE_URL: databaseUrl, HTTP_PORT: String(port) }
}

async function upEnv(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'qs-start-'))
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  return {
    QS_DATA_DIR: join(directory, 'data'),
    MQTT_PORT: String(await freePort()),
    MQTT_WS_PORT: String(await freePort()),
    HTTP_PORT: String(await freePort()),
    POSTGRES_PORT: String(await freePort()),
  }
}

test('a route without declared access stops the start of qs up', async (t) => {
  const qs = startQs(t, ['up'], { env: { ...(await upEnv(t)), NODE_OPTIONS: FORGETFUL } })
  assert.equal(await qs.exit(), 1)
  assert.match(
    qs.stderr(),
    /The console cannot start: These routes do not declare who may use them.*\/forgotten/,
  )
})

test('qs ingest starts its console for the first page, and says why if it cannot', {
  skip: mosquittoMissing,
}, async (t) => {
  const env = await ingestEnv(t)
  const qs = startQs(t, ['ingest'], { env: { ...env, NODE_OPTIONS: FORGETFUL } })
  await untilReady(qs, Number(env.HTTP_PORT))
  assert.doesNotMatch(qs.stderr(), /The console cannot start/)
  const page = await fetch(`http://127.0.0.1:${env.HTTP_PORT}/api/session`)
  assert.equal(page.status, 503)
  const reason = /"reason":"These routes do not declare who may use them.*\/forgotten/
  await until(() => reason.test(qs.stderr()), 'the log says why')
})

test('5xx answers are logged once a minute with their reason, and probes are not', {
  skip: mosquittoMissing,
}, async (t) => {
  const env = await ingestEnv(t)
  const qs = startQs(t, ['ingest'], { env })
  await untilReady(qs, Number(env.HTTP_PORT))
  const database = new pg.Client({ connectionString: env.DATABASE_URL })
  await database.connect()
  await database.query('alter table dead_letters rename to elsewhere')
  await database.end()
  const base = `http://127.0.0.1:${env.HTTP_PORT}`
  for (let n = 0; n < 3; n++) {
    assert.equal((await fetch(`${base}/api/letters`)).status, 503)
    await fetch(`${base}/healthz`)
  }
  const lines = () =>
    qs
      .stderr()
      .split('\n')
      .filter((line) => line.includes('A request was answered with 503'))
  await until(() => lines().length > 0, 'the answer is in the log')
  assert.equal(lines().length, 1)
  assert.match(lines()[0] ?? '', /"route":"\/api\/letters".*relation .*dead_letters.* does not exist/)
  assert.doesNotMatch(qs.stderr(), /healthz/)
})
