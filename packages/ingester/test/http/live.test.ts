import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '../support/console.ts'
import { until } from '../support/until.ts'
import { watch } from '../support/watch-live.ts'

const event = (id: string, fields: object = {}) => ({
  schema: 1,
  event_id: id,
  device_id: 'd',
  event_type: 't',
  value: 1,
  ...fields,
})

test('messages come as they are committed, with what became of each event', async (t) => {
  const { url, publish } = await startTestConsole(t)
  const { response, messages } = await watch(t, `${url}/api/live`)
  const rejected = await watch(t, `${url}/api/live?rejected=true`)
  const other = await watch(t, `${url}/api/live?device=other`)
  assert.equal(response.headers['content-type'], 'text/event-stream')
  await publish('d', [event('a'), event('a'), event('b', { value: {} })])
  await publish('d', event('c'))
  await until(() => messages().length === 2, 'both messages')
  const [first] = messages()
  assert.deepEqual(
    first?.elements.map(({ eventId, outcome, code }) => [eventId, outcome, code]),
    [
      ['a', 'stored', null],
      ['a', 'duplicate', null],
      ['b', 'rejected', 'INVALID_VALUE'],
    ],
  )
  assert.match(first?.payload ?? '', /"event_id":"b"/)
  await until(() => rejected.messages().length === 1, 'the one with a rejection')
  assert.deepEqual(other.messages(), [])
})

test('a page that does not read costs the pipeline nothing, and is told what it missed', async (t) => {
  const { url, publish, query } = await startTestConsole(t)
  const { response, batches, messages } = await watch(t, `${url}/api/live`)
  response.pause()
  const batch = (n: number) =>
    Array.from({ length: 500 }, (_, i) => event(`e${n}-${i}`, { value: 'x'.repeat(200) }))
  // One message for each event: far more than the sockets' buffers and the list of a listener hold.
  for (let n = 0; n < 4; n++) await Promise.all(batch(n).map((each) => publish('d', each)))
  assert.deepEqual(await query('select count(*)::int as n from events'), [{ n: 2_000 }])
  response.resume()
  const told = () => messages().length + batches.reduce((sum, { dropped }) => sum + dropped, 0)
  await until(() => told() === 2_000, 'every message is shown or counted')
  assert.ok(batches.some(({ dropped }) => dropped > 0))
})
