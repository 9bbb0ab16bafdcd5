import fc from 'fast-check'

/** A row of `events` as text, in the order of COLUMNS; null is null. */
export type Row = readonly (string | null)[]

export const COLUMNS = `event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_device_local, ts_device_raw,
  ts_server, schema, meta, value_exact`

/** Inserts rows given as one array of JSON arrays. */
export const INSERT = `
insert into events (${COLUMNS})
select r->>0, r->>1, r->>2, (r->>3)::float8, r->>4, r->>5, (r->>6)::timestamptz, (r->>7)::timestamptz, (r->>8)::timestamp,
  r->>9, (r->>10)::timestamptz, (r->>11)::smallint, (r->>12)::jsonb, r->>13
from json_array_elements($1::json) r`

/** Before the horizon of every test, with all six digits. */
const BASE_MS = Date.UTC(2026, 5, 1)

const micros = (max: number) => fc.integer({ min: 0, max }).map((n) => `${n}`.padStart(6, '0'))

/** Within 20 days; several events often share a time. */
const ts = fc
  .tuple(
    fc.oneof(fc.integer({ min: 0, max: 20 * 86_400 }), fc.integer({ min: 0, max: 3 })),
    fc.oneof(micros(999_999), fc.constant('000000')),
  )
  .map(([second, digits]) => `${instant(second)}.${digits}Z`)

const anyTime = fc.oneof(
  ts,
  fc.constantFrom(
    ...['1970-01-01T00:00:00.000001Z', '0001-01-01T00:00:00.123457Z', '9999-12-31T23:59:59.999999Z'],
    ...['4713-01-01 00:00:00.5 BC', '1969-12-31T23:59:59.999999Z', '2038-01-19T03:14:07.654321Z'],
  ),
)

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? '-0' : String(n))),
  fc.constantFrom(
    ...['-0', '0', '5e-324', '-5e-324', '2.2250738585072011e-308', '1.7976931348623157e308', '0.1'],
    ...['20.10', '20.11', '9007199254740993', '1e21'],
  ),
)

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }).map((t) => t.replaceAll('\0', '').toWellFormed()),
  fc.constantFrom('', 'null', 'NULL', '{}', '"', '\\', '\t\n\r', ' ', '😀'.repeat(20)),
)

/** Up to 16 KiB that does not compress. */
const longText = fc
  .uint8Array({ minLength: 100, maxLength: 12_000 })
  .map((b) => Buffer.from(b).toString('base64'))

const meta = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify({ value }).replaceAll('\\u0000', '')),
  fc.constantFrom(
    ...[
      '{"n": 1.00}',
      '{"n": 1.0}',
      '{"n": 1}',
      '{"n": -0}',
      '{"n": 1e-20, "m": 123456789012345678901234567890.10}',
    ],
    ...['{}', '{"": null}', 'null', '[]', '{"_extra": {"age_ms": 12.50}}'],
  ),
)

/** The end of an id after what its row makes unique. */
const idEnd = fc.oneof(
  fc.constantFrom('', '0', '00', '007', '-0', '-000', '9'.repeat(15), `1${'0'.repeat(40)}`, 'x', '😀', '-'),
  fc.nat({ max: 100_000 }).map(String),
  fc.nat({ max: 999 }).map((n) => `-${String(n).padStart(8, '0')}`),
)

const idOf = fc.oneof(
  fc.tuple(fc.constantFrom('kitchen-7-', 'kitchen-', '', 'kitchen', '10'), idEnd).map(
    ([head, end]) =>
      (place: number) =>
        `${head}${place}${end.startsWith('-') ? end : end && `-${end}`}`,
  ),
  fc.uuid().map((uuid) => (place: number) => uuid.slice(0, -6) + place.toString(16).padStart(6, '0')),
  fc
    .uuid()
    .map((uuid) => (place: number) => `kitchen-${uuid.slice(0, -6)}${place.toString(16).padStart(6, '0')}`),
  fc
    .uuid()
    .map((uuid) => (place: number) => uuid.slice(0, -6).toUpperCase() + place.toString(16).padStart(6, '0')),
  fc.constant((place: number) => `kitchen-3-${place * 5}`),
)

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 2 })

const row = fc
  .record({
    idOf,
    num: maybe(number),
    string: maybe(fc.oneof({ weight: 9, arbitrary: text }, { weight: 1, arbitrary: longText })),
    unit: maybe(fc.constantFrom('°C', '', '%', 'V'.repeat(32))),
    ts,
    device: maybe(anyTime),
    local: maybe(anyTime.map((time) => time.replace('Z', ''))),
    raw: maybe(text),
    server: ts,
    schema: fc.constantFrom('1', '1', '1', '-32768', '32767'),
    meta: maybe(meta),
    exact: maybe(fc.constantFrom('', '20.100000000000000000001', '1e400')),
  })
  .map(
    (r) =>
      (place: number, id: (place: number) => string): Row => [
        id(place),
        'kitchen',
        'temp',
        ...[r.num, r.string, r.unit, r.ts, r.device, r.local, r.raw, r.server, r.schema, r.meta, r.exact],
      ],
  )

/** Rows of one series with distinct ids: most often all of one form, as a device sends them, sometimes mixed. */
export const oddRows: fc.Arbitrary<readonly Row[]> = fc
  .record({
    forms: fc.oneof(fc.tuple(idOf), fc.array(idOf, { minLength: 2, maxLength: 5 })),
    rows: fc.array(row, { minLength: 1, maxLength: 60 }),
  })
  .map(({ forms, rows }) =>
    rows.map((make, place) => make(place, forms[place % forms.length] as (typeof forms)[0])),
  )
  .filter((rows) => new Set(rows.map(([id]) => id)).size === rows.length)

function instant(second: number): string {
  return new Date(BASE_MS + second * 1_000).toISOString().slice(0, 19)
}
