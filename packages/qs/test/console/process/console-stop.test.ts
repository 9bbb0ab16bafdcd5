import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { watch } from '@qs-telemetry/testing/watch-live.ts'
import pg from 'pg'
import { serve } from '../../../src/app/serve.ts'
import { LiveFeed } from '../../../src/console/live-feed.ts'

test('stopping the console lets the current request finish', async (t) => {
  const databaseUrl = await migratedDatabase(t)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const serving = await serve(configOf({ HTTP_PORT: String(port) }), {
    endpoints: { mqttUrl: 'mqtt://127.0.0.1:1', databaseUrl },
    host: {
      vitals: () => Promise.reject(new Error('This test asks for no vitals')),
      live: new LiveFeed(),
      liveProblem: () => null,
      unhandledTopics: () => ({ topics: [], more: 0, isSampled: false, problem: null }),
      inbox: { keepsReceiveTime: true, publish: async () => null },
      simulation: null,
    },
    embedded: null,
    onConsoleEnded: () => {},
    log: silentLog().log,
    checks: {},
    failure: () => null,
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
  })
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  t.after(async () => {
    await database.end()
    await serving.close()
  })
  await serving.prepare()
  const { response: live } = await watch(t, `${url}/api/live`)
  await database.query('begin')
  await database.query('lock table devices in access exclusive mode')
  const answer = fetch(`${url}/api/devices`)
  await until(async () => {
    const { rows } = await database.query(
      'select from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())',
    )
    return rows.length > 0
  }, 'the request waits for the table')
  const closed = serving.close()
  await until(() => live.readableEnded, 'the stop has reached the console')
  await database.query('rollback')
  assert.equal((await answer).status, 200)
  await closed
})
