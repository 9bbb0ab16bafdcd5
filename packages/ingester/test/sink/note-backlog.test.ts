import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '../support/console.ts'

test('a batch with events of an hour that is over says so; one of this hour does not', async (t) => {
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
