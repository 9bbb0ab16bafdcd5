import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DEFAULT_LIMITS } from '@qs-telemetry/protocol'
import { Journal } from '../src/journal.ts'
import { completeEvent, jsonNow, readKept } from '../src/outgoing-event.ts'

const context = { deviceId: 'dev-1', nextEventId: () => 'dev-1-1', limits: DEFAULT_LIMITS }

test('an age grows while the event waits, and nothing else changes', () => {
  const completed = completeEvent({ event_type: 'temp', value: 1, age_ms: 250.5 }, context)
  const at = (waitedMs: number) => JSON.parse(jsonNow(completed, waitedMs)) as Record<string, unknown>
  assert.equal(at(0).age_ms, 250.5)
  assert.equal(at(60_000.25).age_ms, 60_250.75)
  assert.deepEqual({ ...at(0), age_ms: null }, { ...at(1e12), age_ms: null })
  assert.ok(Buffer.byteLength(jsonNow(completed, 1e12)) <= completed.bytes)
})

test('an event without an age is sent as serialized', () => {
  const completed = completeEvent({ event_type: 'temp' }, context)
  assert.equal(jsonNow(completed, 60_000), completed.json)
  // The ingester judges an invalid age, not this client.
  for (const age of [-1, '60' as unknown as number])
    assert.equal(
      JSON.parse(jsonNow(completeEvent({ event_type: 'temp', age_ms: age }, context), 5)).age_ms,
      age,
    )
  assert.throws(() => completeEvent({ event_type: 'temp', age_ms: Number.NaN }, context), /age_ms is NaN/)
})

test('an event from the journal has the age with which it was written', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'qs-journal-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const journal = new Journal({ path: join(directory, 'journal') })
  journal.open()
  const event = completeEvent({ event_type: 'temp', age_ms: 250 }, context)
  journal.keep({ eventId: event.eventId, json: jsonNow(event, 0) })
  const [line = ''] = journal.open()
  journal.close()
  assert.equal(JSON.parse(jsonNow(readKept(line), 50)).age_ms, 300)
})
