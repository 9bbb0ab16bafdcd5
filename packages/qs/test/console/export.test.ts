import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { parquetReadObjects } from 'hyparquet'
import pg from 'pg'
import { connect } from '../../src/database/connect.ts'

const DEVICES = ['plain', 'with,comma', 'with "quotes"', 'line\u2028break;', '=HYPERLINK("x")', '日本 🚀']
const TEXTS = [
  '',
  ' ',
  'a,b',
  '"',
  'two\r\nlines\n',
  'tab\tx',
  '=1+1',
  '-5',
  '😀'.repeat(4_000),
  '# end of export: 1 events',
  "'quoted",
  '\\N',
  '\\.',
]
const RANGE = 'from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z'
const COLUMNS =
  'event_id,device_id,event_type,value_num,value_text,value_exact,unit,ts,ts_device,ts_device_raw,ts_server,schema,meta'

/** A cell with text that a spreadsheet would take as a formula. */
const shown = (text: string | null) =>
  text !== null && /^[=+\-@\t\r\n]/.test(text) && text !== '-5' ? `'${text}` : text

test('everything is exported as CSV that PostgreSQL reads back, and as Parquet, to the last byte and digit', async (t) => {
  const { publish, api, url, databaseUrl, query } = await startTestConsole(t)
  for (const [index, device] of DEVICES.entries()) {
    const event = (n: number, members: string) =>
      `{"schema":1,"event_id":${JSON.stringify(`${device}-${n}`)},"device_id":${JSON.stringify(device)},${members}}`
    await publish(
      device,
      `[${[
        event(
          0,
          `"event_type":"temp","value":9007199254740993,"unit":"°C","ts_device":"2026-11-01T08:30:00.12345${index}Z"`,
        ),
        event(0.5, '"event_type":"zero","value":-0.0'),
        event(
          1,
          `"event_type":"raw,type","value":1.5,"ts_device":"soon, \\"or\\" later","meta":{"n":12345678901234567890,"t":"a,\\n\\"b\\""}`,
        ),
        ...TEXTS.map((text, n) => event(n + 2, `"event_type":"text","value":${JSON.stringify(text)}`)),
      ].join(',')}]`,
    )
  }
  const stored = await query(`
    select event_id, device_id, event_type, value_num::text, value_text, value_exact, unit, ts::text, ts_device::text, ts_device_raw,
      ts_server::text, schema, meta::text from events order by event_id collate "C"`)
  assert.equal(stored.length, DEVICES.length * (TEXTS.length + 3))

  const csv = (await api<string>(`/api/export?format=csv&${RANGE}`)).body
  assert.ok(csv.startsWith(`${COLUMNS}\r\n`))
  const client = new pg.Client({ connectionString: databaseUrl })
  const connection = await connect({ url: databaseUrl, name: 'test', connectTimeoutMs: 5_000 })
  await client.connect()
  t.after(async () => {
    connection.destroy()
    await client.end()
  })
  await client.query(`create table again (event_id text, device_id text, event_type text, value_num float8, value_text text, value_exact text,
    unit text, ts timestamptz, ts_device timestamptz, ts_device_raw text, ts_server timestamptz, schema smallint, meta text)`)
  await connection.copy({ text: 'copy again from stdin (format csv, header true)', data: Buffer.from(csv) })
  const again = await client.query(`
    select event_id, device_id, event_type, value_num::text, value_text, value_exact, unit, ts::text, ts_device::text, ts_device_raw,
      ts_server::text, schema, meta from again order by ltrim(event_id, '''') collate "C"`)
  assert.deepEqual(
    again.rows,
    stored.map((row) => ({
      ...row,
      event_id: shown(String(row.event_id)),
      device_id: shown(String(row.device_id)),
      value_text: shown(row.value_text as string | null),
    })),
  )

  const parquet = await (await fetch(`${url}/api/export?format=parquet&${RANGE}`)).arrayBuffer()
  const objects = await parquetReadObjects({ file: parquet })
  const inOrder = objects.sort((one, other) =>
    Buffer.compare(Buffer.from(String(one.event_id)), Buffer.from(String(other.event_id))),
  )
  const texts = ({
    event_id,
    device_id,
    value_num,
    value_text,
    value_exact,
    ts_device_raw,
    meta,
    schema,
  }: Record<string, unknown>) => [
    event_id,
    device_id,
    (value_num ?? null) === null ? null : Number(value_num),
    value_text ?? null,
    value_exact ?? null,
    ts_device_raw ?? null,
    meta ?? null,
    schema,
  ]
  assert.deepEqual(inOrder.map(texts), stored.map(texts))
})

test('an export of one device or one type has all types, or all devices; its last line has the number of events', async (t) => {
  // These times are plausible in any year.
  const settings = { DEVICE_CLOCK_MAX_PAST: '100000d' }
  const { publish, api } = await startTestConsole(t, { settings })
  const event = (device: string, type: string, n: number) => ({
    schema: 1,
    event_id: `${device}-${type}-${n}`,
    device_id: device,
    event_type: type,
    value: n,
    ts_device: '2026-11-01T09:30:00.123456Z',
  })
  for (const device of ['a', 'b']) await publish(device, [event(device, 'x', 1), event(device, 'y', 2)])
  const idsOf = async (question: string) => {
    const { body } = await api<string>(`/api/export?format=csv&${RANGE}${question}`)
    const [, ...lines] = body.trim().split('\r\n')
    return lines.map((line) => line.split(',')[0])
  }
  assert.deepEqual(await idsOf('&device=a'), ['a-x-1', 'a-y-2'])
  assert.deepEqual(await idsOf('&type=y'), ['a-y-2', 'b-y-2'])
  assert.deepEqual(await idsOf('&device=b&type=x'), ['b-x-1'])
  assert.deepEqual(await idsOf('&device=nobody'), [])
  assert.deepEqual(await idsOf('&device=a&end=true'), ['a-x-1', 'a-y-2', '# end of export: 2 events'])

  const file = (
    await api<string>(`/api/export?format=csv&${RANGE}&device=a&type=x&zone=Europe/Berlin&bom=true&end=true`)
  ).body
  // fetch strips the byte order mark; the raw bytes have it.
  const [head = '', row = '', end] = file.trim().split('\r\n')
  assert.ok(head.endsWith(',meta,ts_local'))
  assert.ok(row.endsWith(',2026-11-01 10:30:00.123'), row)
  assert.equal(end, '# end of export: 1 events')

  const summer = { ...event('c', 'x', 3), ts_device: '2026-07-01T09:30:00.123456Z' }
  await publish('c', summer)
  for (const [zone, local] of [
    ['CET', '2026-07-01 11:30:00.123'],
    ['EET', '2026-07-01 12:30:00.123'],
    ['HST', '2026-06-30 23:30:00.123'],
  ]) {
    const { body } = await api<string>(`/api/export?format=csv&${RANGE}&device=c&type=x&zone=${zone}`)
    assert.ok(body.endsWith(`,${local}\r\n`), `${zone}: ${body}`)
  }
})

test('an export for a spreadsheet begins with a byte order mark, and a calendar range is in its zone', async (t) => {
  const { publish, api, url } = await startTestConsole(t)
  const [now, before] = [new Date(), new Date(Date.now() - 40 * 86_400_000)]
  for (const [n, at] of [now, before].entries())
    await publish('d', {
      schema: 1,
      event_id: `d-${n}`,
      device_id: 'd',
      event_type: 't',
      value: n,
      ts_device: at.toISOString(),
    })
  const bytes = Buffer.from(
    await (await fetch(`${url}/api/export?format=csv&bom=true&range=this-year&zone=UTC`)).arrayBuffer(),
  )
  assert.equal(bytes.subarray(0, 3).toString('hex'), 'efbbbf')
  const today = (await api<string>('/api/export?format=csv&range=today&zone=America/Los_Angeles')).body
  assert.deepEqual([today.includes('d-0,d'), today.includes('d-1,d')], [true, false])

  for (const [question, said] of [
    ['range=last-month&from=2026-01-01T00:00:00Z', 'Give the time'],
    ['from=2026-01-01T00:00:00Z', 'Give the time'],
    ['', 'Give the time'],
    ['range=today&zone=Mars/Olympus', 'is not a time zone'],
    ['range=today&zone=%27%3B--', 'is not a time zone'],
  ] as const) {
    const { status, body } = await api<{ detail: string }>(`/api/export?format=csv&${question}`)
    assert.deepEqual([status, body.detail.includes(said)], [400, true], question)
  }
})

test('the server reports the number of events of an export, and whether it was cut off', async (t) => {
  const { publish, api, url, query } = await startTestConsole(t)
  await publish('d', { schema: 1, event_id: 'd-0', device_id: 'd', event_type: 't', value: 0 })
  type Progress = { state: string; events: number }
  const stateOf = async (name: string) => (await api<Progress>(`/api/exports/${name}`)).body
  assert.equal((await stateOf('nobody')).state, 'unknown')

  /** More events of the device, each with this many bytes of `meta`. */
  const add = (name: string, events: number, bytes: number) =>
    query(
      `insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema, meta)
      select $1 || n, 'd', 't', n, now(), now(), 1, jsonb_build_object('text', repeat('x', $3::int))
      from generate_series(1, $2::int) n`,
      [name, events, bytes],
    )
  await add('small-', 1_500, 10)
  const { body } = await api<string>(`/api/export?format=csv&${RANGE}&end=true&name=whole`)
  assert.ok(body.endsWith(`# end of export: 1501 events\r\n`))
  await until(async () => (await stateOf('whole')).state === 'complete', 'the export is complete')
  assert.equal((await stateOf('whole')).events, 1_501)

  // 45 MB of CSV exceed all socket buffers in between.
  await add('large-', 1_500, 30_000)
  const leaving = new AbortController()
  const broken = await fetch(`${url}/api/export?format=csv&${RANGE}&name=left`, { signal: leaving.signal })
  await broken.body?.getReader().read()
  leaving.abort()
  await until(async () => (await stateOf('left')).state === 'broken', 'the export broke off')
  assert.ok(Number((await stateOf('left')).events) < 3_001)
})
