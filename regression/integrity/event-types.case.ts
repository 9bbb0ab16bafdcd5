import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { item, type MakeItem } from './item.ts'
import { patience, scale } from './scale.ts'
import { openStage } from './stage.ts'

const LIMIT = 200
const PAGES = ['/api/overview', '/api/devices', '/api/devices/counter-0', '/api/sparklines?device=counter-0']
/** For one page, on a machine that does all of this at once. */
const PAGE_WITHIN_MS = patience(5_000)
const PAGE_BYTES = 1024 * 1024

/** A counter in the type: every event has a new type, and those beyond the limit can never be stored. */
const makeItem: MakeItem = (deviceId, n) =>
  item(deviceId, n, { event_type: `boot-${n}`, value: n }, n < LIMIT ? 'stored' : 'rejected')

test('a device with a counter in its type harms itself, but no other device and no page', {
  skip: mosquittoMissing,
}, async (t) => {
  const stage = await openStage(t, {
    fault: 'a counter in event_type',
    settings: {
      LIMIT_EVENT_TYPES: String(LIMIT),
      NODE_OPTIONS: '--max-old-space-size=256',
      DEAD_LETTER_RATE: '1000000',
      DEAD_LETTER_BYTES: '1GiB',
    },
  })
  const counter = stage.addFleet({
    name: 'counter',
    devices: 1,
    eventsPerSecond: 500,
    arrayEvents: 20,
    resendAfterMs: 60_000,
    makeItem,
  })
  await counter.start()
  await stage.more(scale(20_000, 3_000), 180_000)
  // The first request starts the console process, which takes seconds on a busy machine.
  await fetch(`http://127.0.0.1:${stage.ingester.httpPort}/api/session`)
  for (const page of PAGES) {
    const startMs = performance.now()
    const answer = await fetch(`http://127.0.0.1:${stage.ingester.httpPort}${page}`)
    const body = await answer.text()
    assert.equal(answer.status, 200, `${page}: ${body.slice(0, 300)}`)
    assert.ok(body.length < PAGE_BYTES, `${page}: ${body.length} bytes`)
    assert.ok(performance.now() - startMs < PAGE_WITHIN_MS, `${page} took ${performance.now() - startMs} ms`)
    if (page === '/api/overview') assert.match(body, /"name":"event_types","text":"[^}]*counter-0/)
  }
  await stage.finish()
})
