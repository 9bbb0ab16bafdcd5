import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { readStates } from '../../src/console/queries/read-states.ts'
import { QueryPool } from '../../src/database/query-pool.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 9, 1, 0, minute)).toISOString().replace('Z', '399Z')
const secondsOf = (minute: number) => Date.UTC(2026, 9, 1, 0, minute) / 1000 + 0.000399

test('states are the last change before the range and those in it, on the requested time axis', async (t) => {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 2, timeoutMs: 30_000 })
  t.after(() => pool.end())
  /** The server received each event ten minutes later; the device's clock is twenty minutes ahead. */
  const store = (
    eventType: string,
    ...values: readonly (readonly [minute: number, value: string | number])[]
  ) =>
    pool.query(
      `insert into events (event_id, device_id, event_type, value_num, value_text, ts, ts_device, ts_server, schema)
      select $1 || '-' || minute, 'k', $1, num, text, ts, ts + interval '20 minutes', ts + interval '10 minutes', 1
      from json_to_recordset($2) as e(minute int, num float8, text text, ts timestamptz)`,
      [
        eventType,
        JSON.stringify(
          values.map(([minute, value]) => ({
            minute,
            ...(typeof value === 'number' ? { num: value } : { text: value }),
            ts: at(minute),
          })),
        ),
      ],
    )
  await store('door', [1, 'x'.repeat(16_000)], [20, 'closed'], [40, 'open'], [50, 'closed'], [70, 'open'])
  // The long text is not among the newest thirty events.
  await store('door', ...Array.from({ length: 30 }, (_, n) => [80 + n, n % 2 ? 'open' : 'closed'] as const))
  await store('lamp', [10, 1], [35, 0], [45, 1])
  await store('temp', [10, 20.5], [35, 1])
  await store('temp', [90, 21.5])
  await store('boot', [10, 'power-on'], [45, 'power-on'])
  const ask = async (axis: 'event' | 'device' | 'server', from = at(30), to = at(60)) => {
    const series = ['door', 'lamp', 'temp', 'boot', 'nothing'].map((eventType) => ({
      deviceId: 'k',
      eventType,
    }))
    const { states } = await readStates(pool, { series, from, to, axis })
    return states.map(({ eventType, kind, times, texts }) => [eventType, kind, times, texts])
  }
  assert.deepEqual(await ask('event'), [
    ['door', 'texts', [20, 40, 50].map(secondsOf), ['closed', 'open', 'closed']],
    ['lamp', 'numbers', [secondsOf(10)], ['1']],
  ])
  assert.deepEqual(await ask('server'), [
    ['door', 'texts', [11, 30, 50].map(secondsOf), ['x'.repeat(100), 'closed', 'open']],
    ['lamp', 'numbers', [secondsOf(20)], ['1']],
  ])
  assert.deepEqual(await ask('device'), [
    ['door', 'texts', [21, 40].map(secondsOf), ['x'.repeat(100), 'closed']],
    ['lamp', 'numbers', [], []],
  ])
  // More changes than a chart shows: the state before the range does not last until the first of those shown.
  await store(
    'door',
    ...Array.from({ length: 501 }, (_, n) => [1_000 + n, n % 2 ? 'open' : 'closed'] as const),
  )
  const [door] = await ask('event', at(990), at(2_000))
  assert.deepEqual(door?.slice(2), [
    Array.from({ length: 500 }, (_, n) => secondsOf(1_001 + n)),
    Array.from({ length: 500 }, (_, n) => (n % 2 ? 'closed' : 'open')),
  ])
})
