import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openEmbeddedStage } from './embedded-stage.ts'
import { item, type MakeItem } from './item.ts'
import { scale } from './scale.ts'

const LARGE_EVENTS = scale(2_000, 500)
const READ_MS = scale(30_000, 6_000)
const PAGES = 6
const VALUE = 'x'.repeat(16_000)
const META = 'y'.repeat(32_000)

/** 48 KB, within the limits. */
const makeItem: MakeItem = (deviceId, n) =>
  item(deviceId, n, { event_type: 'text', value: VALUE, meta: { m: META } })

test('embedded: pages and exports of large events on a small heap cost no device ack', async (t) => {
  const stage = await openEmbeddedStage(t, {
    fault: `embedded, 256 MB of heap: ${PAGES} pages of 1,000 events of 48 KB and exports at once, again and again`,
    settings: { NODE_OPTIONS: '--max-old-space-size=256' },
  })
  const large = stage.addFleet({ name: 'large', eventsPerSecond: 100, makeItem })
  await large.start()
  await stage.more(LARGE_EVENTS * 4, 120_000)
  large.pause()
  await large.flush(60_000)
  const base = `http://127.0.0.1:${stage.ingester.httpPort}/api`
  const span = 'from=2026-01-01T00:00:00Z&to=2100-01-01T00:00:00Z'
  const urls = [
    ...Array.from({ length: PAGES }, (_, n) => `${base}/events?limit=1000&device=large-${n}`),
    ...['csv', 'parquet'].map((format) => `${base}/export?format=${format}&device=large-0&type=text&${span}`),
  ]
  const statuses = new Map<number, number>()
  let bytes = 0
  const read = async (url: string) => {
    const answer = await fetch(url)
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    bytes += (await answer.arrayBuffer()).byteLength
  }
  const endMs = performance.now() + READ_MS
  while (performance.now() < endMs) await Promise.all(urls.map(read))
  t.diagnostic(`answers by status ${JSON.stringify([...statuses])}, ${Math.round(bytes / 1e6)} MB`)
  await stage.more(300)
  await stage.finish()
  assert.ok(stage.ingester.isRunning, stage.ingester.log)
  assert.ok((statuses.get(200) ?? 0) > PAGES)
  assert.deepEqual(
    [...statuses.keys()].filter((status) => status !== 200 && status !== 429),
    [],
  )
})
