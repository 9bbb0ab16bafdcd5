import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventPage } from '@qs-telemetry/protocol/api'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { parquetReadObjects } from 'hyparquet'
import { event, minutesAgo } from './console-data.ts'

test('events are paged, for one device and for all', async (t) => {
  const { publish, api } = await startTestConsole(t)
  const ids = Array.from({ length: 25 }, (_, index) => `e${String(index).padStart(2, '0')}`)
  await publish(
    'd',
    ids.map((id, index) =>
      event('d', id, { event_type: index % 2 ? 'a' : 'b', value: index, ts_device: minutesAgo(30 - index) }),
    ),
  )
  await publish('other', event('other', 'o1', { value: 'text' }))
  for (const [query, expected] of [
    ['device=d', ids.toReversed()],
    ['', ['o1', ...ids.toReversed()]],
  ] as const) {
    const seen: string[] = []
    for (let after: string | null = ''; after !== null; ) {
      const page: EventPage = (
        await api<EventPage>(`/api/events?limit=10&${query}${after && `&after=${after}`}`)
      ).body
      seen.push(...page.events.map(({ eventId }) => eventId))
      after = page.next
    }
    assert.deepEqual(seen, expected)
  }
  const texts = (await api<EventPage>('/api/events?texts=true')).body
  assert.deepEqual(
    texts.events.map(({ valueText }) => valueText),
    ['text'],
  )
  assert.equal((await api('/api/events?after=nonsense')).status, 400)
})

test('a view is exported as CSV and as Parquet, with every event', async (t) => {
  const { publish, api, url } = await startTestConsole(t)
  await publish('d', [
    event('d', 'e1', { value: 1.5, ts_device: '2026-01-02T03:04:05.123456Z' }),
    event('d', 'e2', { value: '=1+1, "quoted"' }),
  ])
  const view = 'device=d&type=temp&from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z'
  const { body: csv, headers } = await api<string>(`/api/export?format=csv&${view}`)
  assert.match(headers.get('content-disposition') ?? '', /attachment; filename="qs-2020-01-01.csv"/)
  const rows = csv.trim().split('\r\n')
  assert.equal(
    rows[0],
    'event_id,device_id,event_type,value_num,value_text,value_exact,unit,ts,ts_device,ts_device_raw,ts_server,schema,meta',
  )
  assert.ok(rows.some((row) => row.includes('1.5') && row.includes('2026-01-02T03:04:05.123456Z')))
  assert.ok(
    rows.some((row) => row.includes(`"'=1+1, ""quoted"""`)),
    csv,
  )

  const file = await (await fetch(`${url}/api/export?format=parquet&${view}`)).arrayBuffer()
  const objects = await parquetReadObjects({ file })
  const [first] = objects.filter(({ event_id: id }) => id === 'e1')
  assert.equal(objects.length, 2)
  assert.equal(first?.value_num, 1.5)
  assert.deepEqual(first?.ts_device, new Date('2026-01-02T03:04:05.123Z'))
})
