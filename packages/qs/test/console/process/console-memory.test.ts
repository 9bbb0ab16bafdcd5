import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { EventPage, Problem } from '@qs-telemetry/protocol/api'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen } from '@qs-telemetry/testing/pipeline.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { startQs, untilReady } from '@qs-telemetry/testing/qs.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import pg from 'pg'

const HOG = fileURLToPath(new URL('./memory-hog.mjs', import.meta.url))
const HEAP = '--max-old-space-size=256'

/** An ingester process with the heap of a small container. */
async function startSmallIngester(t: TestContext, nodeOptions = HEAP) {
  const broker = await startMosquitto(t)
  const databaseUrl = await migratedDatabase(t)
  const httpPort = await freePort()
  const qs = startQs(t, ['ingest'], {
    env: {
      MQTT_URL: broker.url,
      DATABASE_URL: databaseUrl,
      HTTP_PORT: String(httpPort),
      NODE_OPTIONS: nodeOptions,
    },
  })
  await untilReady(qs, httpPort)
  const { client, received } = await listen(t, broker.url)
  const acks = () => received.get('qs/v1/d/acks') ?? []
  let sent = 0
  return {
    qs,
    databaseUrl,
    url: `http://127.0.0.1:${httpPort}`,
    publish: async () => {
      const event = { schema: 1, event_id: `live-${sent++}`, device_id: 'd', event_type: 't', value: 1 }
      await client.publishAsync('qs/v1/d/events', JSON.stringify(event), { qos: 1 })
      await until(() => acks().length === sent, `ack ${sent}`, 60_000)
    },
    metric: async (name: string) => {
      const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text()
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
    },
  }
}

/** Valid events of 48 KB: 16 KiB of text and 32 KiB of meta, which the database compresses to almost nothing. */
async function fillWithLargeEvents(databaseUrl: string, events: number): Promise<void> {
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  await database.query(
    `insert into events (event_id, device_id, event_type, value_text, ts, ts_server, schema, meta)
     select 'large-' || i, 'big', 'text', repeat('x', 16384), at, at, 1, jsonb_build_object('m', repeat('y', 32700))
     from (select i, now() - i * interval '1.000001 seconds' as at from generate_series(1, $1) i) e`,
    [events],
  )
  await database.query('select recount_series()')
  await database.end()
}

test('six pages of a thousand large events and concurrent exports cost no event, and no page exceeds its byte limit', {
  skip: mosquittoMissing,
}, async (t) => {
  const { databaseUrl, url, publish, metric } = await startSmallIngester(t)
  await fillWithLargeEvents(databaseUrl, 1_200)
  const page = async (query: string, limit = 1_000) => {
    const response = await fetch(`${url}/api/events?limit=${limit}${query}`)
    const text = await response.text()
    return { status: response.status, text }
  }
  const span = `from=${new Date(Date.now() - 86_400_000).toISOString()}&to=${new Date(Date.now() + 86_400_000).toISOString()}`
  const exportOf = async (format: string) => {
    const response = await fetch(`${url}/api/export?format=${format}&device=big&type=text&${span}`)
    return { status: response.status, bytes: (await response.arrayBuffer()).byteLength }
  }
  const pages = Promise.all(
    ['', '', '', '&device=big', '&device=big', '&device=big'].map((query) => page(query)),
  )
  const exports = Promise.all([exportOf('csv'), exportOf('parquet')])
  let isDone = false
  const asked = Promise.all([pages, exports]).finally(() => {
    isDone = true
  })
  do await publish()
  while (!isDone)
  const [answers, files] = await asked

  for (const { status, text } of answers) {
    assert.equal(status, 200, text.slice(0, 300))
    assert.ok(text.length < 3 * 1024 * 1024, `${text.length} bytes`)
    assert.notEqual((JSON.parse(text) as EventPage).next, null)
  }
  // One export per address at a time: the other is refused, or starts after the first has ended.
  assert.ok(files.some(({ status, bytes }) => status === 200 && bytes > 1_200 * 16_384 * 0.01))
  assert.ok(files.every(({ status }) => status === 200 || status === 429))
  assert.equal(await metric('qs_console_ended_total'), 0)

  const seen = new Set<string>()
  for (let after: string | null = ''; after !== null; ) {
    // It ends at its bytes, after about 60 events; to choose from a thousand takes the database a second each time.
    const { text } = await page(`&device=big${after === '' ? '' : `&after=${after}`}`, 100)
    const { events, next } = JSON.parse(text) as EventPage
    for (const { eventId } of events) assert.ok(!seen.has(eventId) && seen.add(eventId), eventId)
    after = next
  }
  assert.equal(seen.size, 1_200)
})

test('a page that takes all memory ends only the console: 503, counted, logged once, and the next page works', {
  skip: mosquittoMissing,
}, async (t) => {
  const { qs, url, publish, metric } = await startSmallIngester(t, `${HEAP} --import ${HOG}`)
  assert.equal((await fetch(`${url}/api/session`)).status, 200)
  const hog = fetch(`${url}/hog`)
  await publish()
  const answer = await hog
  assert.equal(answer.status, 503)
  assert.match(((await answer.json()) as Problem).detail, /Ingestion is not affected.*request less/)
  assert.equal((await fetch(`${url}/healthz`)).status, 200)
  // The answer may be sent before the end of the process is noticed.
  await until(async () => (await metric('qs_console_ended_total')) === 1, 'the end of the console is counted')
  assert.equal((await fetch(`${url}/api/session`)).status, 200)
  await publish()
  assert.equal(qs.process.exitCode, null)
  assert.equal(qs.stderr().match(/needed more than CONSOLE_MEMORY/g)?.length, 1)
})

test('an export takes at most a thousand series, counts a repeated name once, and ends when its client leaves', {
  skip: mosquittoMissing,
}, async (t) => {
  const { databaseUrl, url } = await startSmallIngester(t)
  // 49 MB of CSV exceed all socket buffers in between.
  await fillWithLargeEvents(databaseUrl, 1_000)
  const ask = (names: string, signal?: AbortSignal) =>
    fetch(
      `${url}/api/export?format=csv&from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z&${names}`,
      signal === undefined ? {} : { signal },
    )
  const repeated = `${'device=big&'.repeat(300)}${'type=text&'.repeat(300)}`
  assert.equal((await (await ask(repeated)).text()).match(/\r\n/g)?.length, 1_001)
  const many = Array.from({ length: 40 }, (_, i) => `device=d${i}&type=t${i}`).join('&')
  const refused = await ask(many)
  assert.equal(refused.status, 400)
  assert.match(((await refused.json()) as Problem).detail, /1600 series; an export takes at most 1000/)

  const leaving = new AbortController()
  const first = await ask('device=big&type=text', leaving.signal)
  assert.equal(first.status, 200)
  const second = await ask('device=big&type=text')
  assert.equal(second.status, 429)
  assert.match(((await second.json()) as Problem).detail, /still running/)
  leaving.abort()
  await until(async () => {
    const third = await ask('device=big&type=nothing')
    await third.text()
    return third.status === 200
  }, 'the export of the client that left has ended')
})
