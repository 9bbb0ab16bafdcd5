import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import type { Message } from '../../src/pipeline/message.ts'
import { noteBacklog } from '../../src/sink/note-backlog.ts'

test('a batch with events of an earlier hour is recorded; one of the current hour is not', async (t) => {
  const { publish, query } = await startTestConsole(t)
  const event = (id: string, tsDevice?: string) => ({
    ...{ schema: 1, event_id: id, device_id: 'd', event_type: 't', value: 1 },
    ...(tsDevice && { ts_device: tsDevice }),
  })
  await publish('d', event('now'))
  assert.deepEqual(await query('select from event_hours_backlog'), [])
  await publish('d', [event('now-2'), event('old', new Date(Date.now() - 2 * 3_600_000).toISOString())])
  const [note] = await query(`
    select b.first_seen = e.ts_server as first, b.last_seen = e.ts_server as last
    from event_hours_backlog b, events e where e.event_id = 'old'`)
  assert.deepEqual(note, { first: true, last: true })
})

test('a replay that keeps its old server time does not mark the weeks since then as late', () => {
  const [old, first, last] = [
    '2026-11-10T07:15:30.123456Z',
    '2026-11-28T07:15:30.123457Z',
    '2026-11-28T07:15:31.999999Z',
  ]
  const messages = [last, old, first].map((tsServer) => ({ tsServer }) as Message)
  const note = noteBacklog(messages, '2026-11-10T07:15:30.000001Z', '2026-11-28T07')
  assert.deepEqual(note?.values, [
    [old, first],
    [old, last],
  ])
  assert.equal(noteBacklog(messages, '2026-11-28T07:00:00.000000Z', '2026-11-28T07'), null)
})
