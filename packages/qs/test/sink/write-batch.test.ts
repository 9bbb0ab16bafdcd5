import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { DEAD_LETTER_CODES, DEFAULT_LIMITS, EventTopic } from '@qs-telemetry/protocol'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import pg from 'pg'
import { connect } from '../../src/database/connect.ts'
import { decodeMessage } from '../../src/decode/decode-message.ts'
import type { Message, Outcome } from '../../src/pipeline/message.ts'
import type { Connection } from '../../src/sink/connection.ts'
import { CopyProspects } from '../../src/sink/copy-prospects.ts'
import { CopyRows } from '../../src/sink/copy-rows.ts'
import { type Batch, gather } from '../../src/sink/gather.ts'
import { LetterAllowance } from '../../src/sink/letter-allowance.ts'
import { type BatchContext, writeBatch } from '../../src/sink/write-batch.ts'

type Sent = Readonly<Record<string, unknown>>

async function start(t: TestContext) {
  const url = await migratedDatabase(t)
  const connection = await connect({ url, name: 'test', connectTimeoutMs: 5_000 })
  const database = new pg.Client({ connectionString: url })
  await database.connect()
  t.after(async () => {
    connection.destroy()
    await database.end()
  })
  const statements: string[] = []
  const recording: Connection = {
    isOpen: true,
    maySkipRows: connection.maySkipRows,
    destroy: connection.destroy,
    query: (query) => {
      statements.push(query.name ?? query.text)
      return connection.query(query)
    },
    copy: (statement) => {
      statements.push(statement.name)
      return connection.copy(statement)
    },
  }
  const write = async (...batch: readonly Message[]) => {
    const result = await writeBatch(recording, batchOf(...batch), context())
    return result.map((outcomes) => outcomes.map(nameOf))
  }
  const query = async (sql: string) => (await database.query<Record<string, unknown>>(sql)).rows
  return { url, connection, write, query, statements }
}

function context(extra: Partial<BatchContext> = {}): BatchContext {
  return { writer: 'w', devices: [], isRetry: false, prospects: new CopyProspects(), nowMs: 0, ...extra }
}

/** Made as by the sink. */
function batchOf(...messages: readonly Message[]): Batch {
  const isGood = new CopyProspects().areGood(messages.map(({ delivery }) => delivery))
  return gather(messages, isGood ? new CopyRows() : null, '2026-11-23T18:00:00Z')
}

function nameOf(outcome: Outcome): string {
  return outcome.kind === 'rejection' ? outcome.code : outcome.kind
}

function message(
  events: Sent | readonly Sent[],
  { redelivered = false, timeZone = 'UTC', device = 'd', tsDeviceBytes = 64 } = {},
): Message {
  const complete = (event: Sent) => ({ schema: 1, device_id: device, event_type: 't', ...event })
  const payload = Array.isArray(events) ? events.map(complete) : complete(events as Sent)
  return decodeMessage(
    {
      topic: `qs/v1/${device}/events`,
      payload: Buffer.from(JSON.stringify(payload)),
      redelivered,
      receivedAt: { epochMs: Date.parse('2026-11-23T18:00:00Z'), micros: 123 },
      settle: () => {},
    },
    {
      topic: new EventTopic('qs/v1/+/events'),
      limits: { ...DEFAULT_LIMITS, tsDeviceBytes },
      eventIdRule: 'any',
      clockTrust: { maxPastMs: 1e12, maxFutureMs: 1e12 },
      timeZoneOf: () => timeZone,
    },
  )
}

/** Redelivered events may be stored already, so they are inserted and not copied. */
const WAYS = { copied: { redelivered: false }, inserted: { redelivered: true } }

for (const [way, options] of Object.entries(WAYS))
  test(`an event that is ${way} is stored as sent, to the last bit`, async (t) => {
    const { write, query, statements } = await start(t)
    const values = [0, 1e21, 5e-324, 1.7976931348623157e308, 0.1, 123456789.12345679, 9007199254740991, -1e-7]
    await write(
      message(
        values.map((value, n) => ({ event_id: `v${n}`, value })),
        options,
      ),
    )
    assert.ok(statements.includes(way === 'copied' ? 'copy-events' : 'insert-events'))
    assert.ok(!statements.includes(way === 'copied' ? 'insert-events' : 'copy-events'))
    const stored = await query(`select value_num from events order by event_id`)
    assert.deepEqual(
      stored.map(({ value_num: value }) => value),
      values,
    )

    const text = 'é "quoted" \\ back\\u005cslash \n tab\t return\r emoji 😀 {} [] \\N \n\\.\n'
    await write(
      message(
        {
          event_id: text,
          device_id: 'd',
          event_type: text,
          value: text,
          unit: '°C',
          meta: { [text]: [text, null, true] },
          ts_device: text.slice(-50),
        },
        options,
      ),
    )
    const [row] = await query(
      `select event_id, event_type, value_text, unit, ts_device_raw, meta from events where value_text is not null`,
    )
    assert.deepEqual(row, {
      event_id: text,
      ts_device_raw: text.slice(-50),
      event_type: text,
      value_text: text,
      unit: '°C',
      meta: { [text]: [text, null, true] },
    })
  })

test('rows of which one exists already are inserted, as are those of the next batches for a while', async (t) => {
  const { connection, write, query } = await start(t)
  const prospects = new CopyProspects()
  const rows = new CopyRows()
  const ways: string[] = []
  const watched: Connection = {
    isOpen: true,
    maySkipRows: connection.maySkipRows,
    destroy: connection.destroy,
    query: (statement) => {
      if (statement.name === 'insert-events') ways.push('insert')
      return connection.query(statement)
    },
    copy: (statement) => {
      ways.push('copy')
      return connection.copy(statement)
    },
  }
  const writeIds = async (...ids: readonly string[]) => {
    ways.length = 0
    const one = message(ids.map((id) => ({ event_id: id })))
    const [outcomes] = await writeBatch(
      watched,
      gather([one], prospects.areGood([one.delivery]) ? rows : null, '2026-11-23T18:00:00Z'),
      context({ prospects }),
    )
    return { outcomes: outcomes?.map(nameOf), ways: ways.join(' ') }
  }
  await write(message({ event_id: 'old' }))
  assert.deepEqual(await writeIds('a', 'old', 'z'), {
    outcomes: ['stored', 'duplicate', 'stored'],
    ways: 'copy insert',
  })
  assert.deepEqual(await writeIds('b'), { outcomes: ['stored'], ways: 'insert' })
  assert.deepEqual(await writeIds('c', 'old'), { outcomes: ['stored', 'duplicate'], ways: 'copy insert' })
  assert.deepEqual(await writeIds('d'), { outcomes: ['stored'], ways: 'insert' })
  assert.deepEqual(await writeIds('e'), { outcomes: ['stored'], ways: 'insert' })
  assert.deepEqual(await writeIds('f'), { outcomes: ['stored'], ways: 'copy' })
  const [row] = await query('select count(*)::int as stored from events')
  assert.deepEqual(row, { stored: 8 })
})

test('COPY is not tried for a batch with a repeated id', async (t) => {
  const { write, statements } = await start(t)
  await write(message([{ event_id: 'a' }, { event_id: 'a' }]))
  assert.ok(!statements.includes('copy-events'))
})

test('rows dropped by a trigger are not reported as stored', async (t) => {
  const { url, write, query } = await start(t)
  await query('create function nothing() returns trigger language plpgsql as $$ begin return null; end $$')
  await query('create trigger vanish before insert on events for each row execute function nothing()')
  const later = await connect({ url, name: 'later', connectTimeoutMs: 5_000 })
  t.after(() => later.destroy())
  await assert.rejects(writeBatch(later, batchOf(message({ event_id: 'a' })), context()), /disappear/)
  assert.deepEqual(await query('select from ingest_stats'), [])
  // A connection older than the trigger detects it on its first COPY.
  await assert.rejects(write(message({ event_id: 'b' })), /fewer rows/)
})

test('if COPY is not possible, as under row-level security, rows are inserted', async (t) => {
  const { url, query } = await start(t)
  const role = `guest_${randomUUID().slice(0, 8)}`
  await query(`create role ${role} login password 'guest'`)
  await query(`grant all on all tables in schema public to ${role}`)
  await query('alter table events enable row level security')
  await query('create policy all_of_it on events using (true)')
  const guestUrl = new URL(url)
  guestUrl.username = role
  guestUrl.password = 'guest'
  const guest = await connect({ url: guestUrl.href, name: 'guest', connectTimeoutMs: 5_000 })
  t.after(() => guest.destroy())
  const prospects = new CopyProspects()
  const one = message({ event_id: 'a' })
  const [outcomes] = await writeBatch(guest, batchOf(one), context({ prospects }))
  assert.deepEqual(outcomes?.map(nameOf), ['stored'])
  assert.equal(prospects.areGood([one.delivery]), false)
})

test('rows are inserted if COPY fails with an internal error, as in Citus for an id that exists', async (t) => {
  const { write, query, statements } = await start(t)
  await query(`create function no_copy() returns boolean language plpgsql as $$ begin
    if current_query() like 'copy%' then raise 'of a shard' using errcode = 'XX000'; end if;
    return true;
  end $$`)
  await query('alter table events add check (no_copy())')
  assert.deepEqual(await write(message({ event_id: 'a' })), [['stored']])
  assert.ok(statements.includes('copy-events'))
})

test('every difference in content is a conflict, except the order of keys', async (t) => {
  const { write } = await start(t)
  const event = {
    event_id: 'e',
    value: 1,
    unit: 'C',
    ts_device: '2026-01-01T00:00:00Z',
    meta: { a: 1, b: [1, 2] },
  }
  assert.deepEqual(await write(message(event)), [['stored']])
  const same = [
    event,
    { ...event, meta: { b: [1, 2], a: 1 } },
    { ...event, ts_device: '2026-01-01T01:00:00+01:00' },
  ]
  for (const each of same) assert.deepEqual(await write(message(each)), [['duplicate']])
  const others = [
    { value: 2 },
    { value: '1' },
    { value: null },
    { unit: 'F' },
    { unit: null },
    { event_type: 'u' },
    { ts_device: '2026-01-01T00:00:00.000001Z' },
    { ts_device: '2026-01-01T00:00:00' },
    { ts_device: 'soon' },
    { ts_device: null },
    { meta: { a: 1, b: [2, 1] } },
    { meta: null },
    { extra: 1 },
  ]
  for (const other of others) {
    assert.deepEqual(
      await write(message({ ...event, ...other })),
      [['EVENT_ID_CONFLICT']],
      JSON.stringify(other),
    )
  }
})

test('a local time is compared as sent, whatever its time zone', async (t) => {
  const { write } = await start(t)
  const event = { event_id: 'e', ts_device: '2026-06-01T12:00:00' }
  assert.deepEqual(await write(message(event, { timeZone: 'Europe/Berlin' })), [['stored']])
  assert.deepEqual(await write(message(event, { timeZone: 'America/Los_Angeles' })), [['duplicate']])
})

test('an id that occurs twice in a batch is stored once; different content is a conflict', async (t) => {
  const { write, query } = await start(t)
  const outcomes = await write(
    message([
      { event_id: 'a', value: 1 },
      { event_id: 'a', value: 1 },
    ]),
    message({ event_id: 'a', value: 2 }),
    message({ event_id: 'b', value: 2 }),
  )
  assert.deepEqual(outcomes, [['stored', 'duplicate'], ['EVENT_ID_CONFLICT'], ['stored']])
  assert.deepEqual(await query('select messages, received, stored, duplicate, rejected from ingest_stats'), [
    { messages: '3', received: '4', stored: '2', duplicate: '1', rejected: '1' },
  ])
})

test('a redelivered message leaves no second dead letter; a message sent twice leaves two', async (t) => {
  const { write, query } = await start(t)
  const bad = { event_id: 'a', value: {} }
  const letters = async () => (await query('select from dead_letters')).length
  await write(message([bad, bad]))
  assert.equal(await letters(), 2)
  await write(message([bad, bad], { redelivered: true }))
  assert.equal(await letters(), 2)
  await write(message([bad, bad]))
  assert.equal(await letters(), 4)
})

test('a bad row affects only itself, even if its id occurs twice', async (t) => {
  const { write, query } = await start(t)
  await query('alter table events add constraint sane check (value_num < 100)')
  const outcomes = await write(
    message([
      { event_id: 'a', value: 100 },
      { event_id: 'b', value: 1 },
      { event_id: 'a', value: 1 },
      { event_id: 'c', value: 101 },
    ]),
  )
  assert.deepEqual(outcomes, [['STORAGE_REJECTED', 'stored', 'stored', 'STORAGE_REJECTED']])
})

test('many copies of a bad row are all rejected', async (t) => {
  const { write, query } = await start(t)
  await query('alter table events add constraint sane check (value_num < 100)')
  const outcomes = await write(message(Array.from({ length: 12 }, () => ({ event_id: 'a', value: 100 }))))
  assert.deepEqual(new Set(outcomes.flat()), new Set(['STORAGE_REJECTED']))
})

test('a batch retried after an unknown COMMIT leaves no second dead letter', async (t) => {
  const { connection, query } = await start(t)
  const batch = batchOf(message({ event_id: 'a', value: {} }))
  for (const isRetry of [false, true]) await writeBatch(connection, batch, context({ isRetry }))
  assert.equal((await query('select from dead_letters')).length, 1)
})

test('two writers with the same ids in opposite order neither deadlock nor store an id twice', async (t) => {
  const { url, write, query } = await start(t)
  const second = await connect({ url, name: 'second', connectTimeoutMs: 5_000 })
  t.after(() => second.destroy())
  const ids = Array.from({ length: 500 }, (_, n) => ({ event_id: `e${n}`, value: n }))
  for (let round = 0; round < 5; round++) {
    await query('truncate events')
    const [first, other] = await Promise.all([
      write(message(ids)),
      writeBatch(second, batchOf(message([...ids].reverse())), context({ writer: 'x' })),
    ])
    const stored = [first[0], other[0]?.map(nameOf)].flat().filter((name) => name === 'stored')
    assert.equal(stored.length, 500)
  }
})

test('a connection destroyed during a batch commits all or nothing, and the batch can be retried', async (t) => {
  const { url, write, query } = await start(t)
  const dying = await connect({ url, name: 'dying', connectTimeoutMs: 5_000 })
  const events = message(Array.from({ length: 800 }, (_, n) => ({ event_id: `e${n}` })))
  const writing = writeBatch(dying, batchOf(events), context({ writer: 'dying' }))
  dying.destroy()
  await assert.rejects(writing)
  await write(events)
  assert.deepEqual(await query('select count(*)::int from events'), [{ count: 800 }])
})

test('an uncommitted batch does not use up the allowance for dead letters', async (t) => {
  const { connection, query } = await start(t)
  await query(`create function fail() returns trigger language plpgsql as $$
    begin raise exception 'not now' using errcode = '40001'; end $$`)
  await query(`create constraint trigger fail after insert on ingest_stats
    deferrable initially deferred for each row execute function fail()`)
  const allowance = new LetterAllowance({ lettersPerMinute: 1, bytesPerMinute: 1_000 })
  const poison = batchOf(message({ event_id: 'a', value: {} }))
  await assert.rejects(writeBatch(connection, poison, context({ allowance })), /not now/)
  await query('drop trigger fail on ingest_stats')
  await writeBatch(connection, poison, context({ allowance }))
  const [[outcome]] = (await writeBatch(connection, poison, context({ allowance }))) as [[Outcome]]
  assert.equal(outcome.kind === 'rejection' && outcome.onlyCounted, true)
  assert.deepEqual(await query('select count(*)::int as n from dead_letters'), [{ n: 1 }])
  assert.deepEqual(await query('select letters::int as n from dead_letters_counted'), [{ n: 1 }])
})

test('an id used by another device is a conflict that discloses nothing about its event', async (t) => {
  const { connection, write, query } = await start(t)
  await write(message({ event_id: 'victim-0001-000000', value: 1 }, { device: 'attacker' }))
  const own = message({ event_id: 'victim-0001-000000', value: 1 }, { device: 'victim' })
  const [[outcome]] = (await writeBatch(connection, batchOf(own), context())) as [[Outcome]]
  assert.ok(outcome.kind === 'rejection')
  assert.deepEqual(
    [outcome.code, outcome.message, outcome.trace],
    ['EVENT_ID_CONFLICT', DEAD_LETTER_CODES.EVENT_ID_CONFLICT, 'sink: another device has used this event_id'],
  )
  assert.deepEqual(await query('select device_id from events'), [{ device_id: 'attacker' }])
  assert.deepEqual(
    await query("select device_id, convert_from(payload, 'UTF8') as payload from dead_letters"),
    [{ device_id: 'victim', payload: own.delivery.payload.toString() }],
  )
})

test('a device whose ids another one has used loses nothing, even if the allowances are used up', async (t) => {
  const { connection, query } = await start(t)
  const allowance = new LetterAllowance({ lettersPerMinute: 1, bytesPerMinute: 1 })
  const events = Array.from({ length: 50 }, (_, n) => ({ event_id: `victim-${n}` }))
  const write = (sent: Message) => writeBatch(connection, batchOf(sent), context({ allowance }))
  await write(message(events, { device: 'attacker' }))
  // A thousand names, so that new devices share one allowance, which is used up.
  for (let n = 0; n < 1_010; n++) allowance.take(allowance.nameOf(`garbage-${n}`, 0), 1, 0)
  const [outcomes = []] = await write(message(events, { device: 'victim' }))
  assert.ok(outcomes.every((each) => each.kind === 'rejection' && each.onlyCounted === undefined))
  assert.deepEqual(await query('select count(*)::int as kept from dead_letters'), [{ kept: 50 }])
  assert.deepEqual(await query('select from dead_letters_counted'), [])
})

test('a ts_device beyond its limit is stored truncated, and is the same event under any limit', async (t) => {
  const { write, query } = await start(t)
  const long = 'next tuesday, '.repeat(18_000)
  const text = 'x'.repeat(100)
  assert.deepEqual(await write(message({ event_id: 'a', ts_device: long })), [['stored']])
  assert.deepEqual(await query('select ts_device, ts_device_raw from events'), [
    { ts_device: null, ts_device_raw: 'next tuesday, next tuesday, …' },
  ])
  assert.deepEqual(await write(message({ event_id: 'a', ts_device: long })), [['duplicate']])
  assert.deepEqual(await write(message({ event_id: 'a', ts_device: 'next wednesday' })), [
    ['EVENT_ID_CONFLICT'],
  ])
  for (const [first, second] of [
    [64, 128],
    [128, 64],
  ] as const) {
    const event = { event_id: `b${first}`, ts_device: text }
    assert.deepEqual(await write(message(event, { tsDeviceBytes: first })), [['stored']])
    assert.deepEqual(await write(message(event, { tsDeviceBytes: second })), [['duplicate']])
  }
})

for (const [way, options] of Object.entries(WAYS))
  test(`a batch that is ${way} says when its events arrived, unless it stores none`, async (t) => {
    const { write, query } = await start(t)
    const sent = message([{ event_id: 'd-1-1' }, { event_id: 'd-1-2' }], options)
    await write(sent)
    const [found] = await query(`
      select count(*)::int as found from received_pending, events
      where not is_history and ts_server between first_seen and last_seen`)
    assert.deepEqual(found, { found: 2 })
    assert.deepEqual(await write(sent), [['duplicate', 'duplicate']])
    assert.deepEqual(await query('select count(*)::int as n from received_pending where not is_history'), [
      { n: 1 },
    ])
  })

/** Rows that violate different constraints, and good ones. */
const ODD_ROWS = [
  { event_id: 'a', value: 1, unit: 'C' },
  { event_id: 'b', value: 1 },
  {
    event_id: 'c',
    value: 100,
    unit: 'C',
    meta: { text: 'é'.repeat(20) },
    ts_device: '2026-11-23T17:59:59.123456Z',
  },
  { event_id: 'd', value: 'text', unit: 'C' },
  { event_id: 'e', value: -1, unit: 'x'.repeat(32), meta: { text: 'x'.repeat(100) } },
  { event_id: 'f', value: 100 },
  { event_id: 'g', event_type: 'T', unit: 'C' },
]
const OWN_CONSTRAINTS = `
  alter table events alter unit set not null, add constraint sane check (value_num < 100),
    add constraint "not ""less""" check (value_num >= 0) not valid, add constraint known check (event_type > 'a')`

test('rows that violate a constraint are found together, with the error that an INSERT of each raises', async (t) => {
  const { write, query, statements } = await start(t)
  await query(OWN_CONSTRAINTS)
  assert.deepEqual(await write(message(ODD_ROWS)), [
    [
      'stored',
      'STORAGE_REJECTED',
      'STORAGE_REJECTED',
      'stored',
      'STORAGE_REJECTED',
      'STORAGE_REJECTED',
      'STORAGE_REJECTED',
    ],
  ])
  assert.equal(statements.filter((each) => each === 'insert-events').length, 2)
  assert.ok(!statements.includes('rollback to savepoint part'))
  const traces = 'select event_id, trace from dead_letters order by event_id'
  const together = await query(traces)

  // With a trigger no constraint is evaluated before the INSERT.
  await query(`create function pass() returns trigger language plpgsql as $$ begin return new; end $$;
    create trigger pass before insert on events for each row execute function pass();
    delete from events; delete from dead_letters`)
  await write(message(ODD_ROWS))
  assert.ok(statements.includes('rollback to savepoint part'))
  assert.deepEqual(together, await query(traces))
})

test('a row is not refused for a constraint that an INSERT of it would satisfy', async (t) => {
  const { write, query } = await start(t)
  await query(`drop view bounded_events, bounded_numbers, clock_drift cascade;
    alter table events add site text not null default 'home', alter value_text type varchar(9),
      alter unit set not null, alter value_num type numeric(9, 0),
      add check (site = 'home'), add check (value_num < 100), add check (events is not null or event_id <> ''),
      add check (value_text <> 'none'), add constraint sane check (event_id <> 'bad');
    create function fill() returns trigger language plpgsql as $$ begin new.unit := coalesce(new.unit, '1'); return new; end $$;
    create trigger fill before insert on events for each row execute function fill()`)
  const sent = message([
    { event_id: 'a', value: 99.4 },
    { event_id: 'b', value: 'none' },
    { event_id: 'bad', value: 1 },
    { event_id: 'c', value: 99.6 },
  ])
  const expected = [['stored', 'STORAGE_REJECTED', 'STORAGE_REJECTED', 'STORAGE_REJECTED']]
  assert.deepEqual(await write(sent), expected)
  await query(`delete from events; drop trigger fill on events; alter table events alter unit drop not null`)
  assert.deepEqual(await write(sent), expected)
})

/** By statements of the owner and of the session. */
const NOT_JUDGED: Readonly<Record<string, readonly [owner: string, session: string]>> = {
  'a function that reads rows': [
    `create function booted(device text, type text) returns boolean language plpgsql as $$
      begin
        return type = 'boot' or exists (select from events where device_id = device and event_type = 'boot');
      end $$;
    alter table events add check (booted(device_id, event_type))`,
    'select 1',
  ],
  'a trigger of a partition': [
    `drop view bounded_events, bounded_numbers, clock_drift cascade;
    alter table events rename to plain_events;
    create table events (like plain_events including defaults, primary key (event_id)) partition by hash (event_id);
    create table events_0 partition of events for values with (modulus 1, remainder 0);
    alter table events alter unit set not null;
    create function fill() returns trigger language plpgsql as $$ begin new.unit := '1'; return new; end $$;
    create trigger fill before insert on events_0 for each row execute function fill()`,
    'select 1',
  ],
  'a constant that the session shows rounded': [
    `alter table events add check (value_num <= 0.30000000000000004 or value_num = 100)`,
    'set extra_float_digits = 0',
  ],
  'constraints that the role may not read': [
    // A role that every server has.
    `grant all on all tables in schema public to pg_signal_backend;
    grant usage on all sequences in schema public to pg_signal_backend; revoke select on pg_constraint from public`,
    'set role pg_signal_backend',
  ],
}

for (const [what, [owner, session]] of Object.entries(NOT_JUDGED))
  test(`${what}: a good row is stored beside a bad one`, async (t) => {
    const { connection, write, query } = await start(t)
    await query(owner)
    await query('alter table events add constraint sane check (value_num < 100)')
    await connection.query({ text: session })
    const sent = [
      { event_id: 'a', event_type: 'boot', value: 0.30000000000000004 },
      { event_id: 'b', value: 0.1 },
      { event_id: 'bad', value: 100 },
    ]
    const [outcomes] = await write(message(sent, { redelivered: true }))
    assert.deepEqual(outcomes, ['stored', 'stored', 'STORAGE_REJECTED'])
  })

test('what a trigger raises for every row is kept beyond the allowance, so that all can be replayed', async (t) => {
  const { connection, query } = await start(t)
  await query(`create function away() returns trigger language plpgsql as $$ begin raise 'maintenance'; end $$;
    create trigger away before insert on events for each row execute function away()`)
  const allowance = new LetterAllowance({ lettersPerMinute: 1, bytesPerMinute: 1e9 })
  const sent = ['a', 'b', 'c'].map((id) => ({ event_id: id, value: 1 }))
  await writeBatch(connection, batchOf(message(sent)), context({ allowance }))
  assert.deepEqual(
    await query('select event_id from dead_letters order by event_id'),
    sent.map(({ event_id }) => ({ event_id })),
  )
})

test('after a refused row the next batches are judged first, until one has none', async (t) => {
  const { connection, query } = await start(t)
  await query('alter table events add constraint sane check (value_num < 100)')
  const prospects = new CopyProspects()
  const names: string[] = []
  const recording: Connection = {
    isOpen: true,
    maySkipRows: false,
    destroy: connection.destroy,
    copy: () => assert.fail('redelivered events are not copied'),
    query: (statement) => {
      names.push(statement.name ?? statement.text)
      return connection.query(statement)
    },
  }
  const write = async (id: string, value: number) => {
    names.length = 0
    await writeBatch(
      recording,
      batchOf(message({ event_id: id, value }, { redelivered: true })),
      context({ prospects }),
    )
    return names.filter((name) => name === 'insert-events' || name === 'find-constraints').join(' ')
  }
  assert.equal(await write('a', 1), 'insert-events')
  assert.equal(await write('b', 100), 'insert-events find-constraints')
  assert.equal(await write('c', 100), 'find-constraints')
  assert.equal(await write('d', 1), 'find-constraints insert-events')
  assert.equal(await write('e', 1), 'insert-events')
})

/** Rules that no statement evaluates beforehand: the value that each refuses, with which SQLSTATE. */
const OTHER_RULES = {
  'a trigger': [
    `create function judge() returns trigger language plpgsql as $$
      begin if new.value_num = 11 then raise 'no such sensor'; end if; return new; end $$;
    create trigger judge before insert on events for each row execute function judge()`,
    { 11: 'P0001' },
  ],
  'a trigger that is deferred to COMMIT': [
    `create function judge() returns trigger language plpgsql as $$
      begin if new.value_num = 11 then raise 'no such sensor'; end if; return new; end $$;
    create constraint trigger judge after insert on events deferrable initially deferred
      for each row execute function judge()`,
    { 11: 'P0001' },
  ],
  'a check that fails itself, an index, an exclusion, a foreign key or a domain': [
    `insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
      select n::text, 'd', 't', n, now(), now(), 1 from generate_series(12, 13) n;
    create unique index on events ((1)) where value_num = 12;
    alter table events add exclude (value_num with =) where (value_num = 13), add check (1 / (value_num - 14) < 2);
    create table allowed (value double precision primary key);
    insert into allowed select n from generate_series(0, 16) n where n <> 15;
    alter table events add foreign key (value_num) references allowed;
    create domain reading as double precision check (value <> 16);
    drop view bounded_events, bounded_numbers, clock_drift cascade;
    alter table events alter value_num type reading`,
    { 12: '23505', 13: '23P01', 14: '22012', 15: '23503', 16: '23514' },
  ],
} as const

for (const [what, [sql, refused]] of Object.entries(OTHER_RULES))
  test(`${what} costs only the rows that it refuses, and leaves no savepoint open`, async (t) => {
    const { write, query, statements } = await start(t)
    await query(sql)
    const bad = Object.keys(refused).map((value) => ({ event_id: `bad-${value}`, value: Number(value) }))
    const good = Array.from({ length: 20 }, (_, n) => ({
      event_id: n % 2 === 0 ? `a${n}` : `c${n}`,
      value: n % 10,
    }))
    const [outcomes = []] = await write(message([...bad, ...good]))
    assert.deepEqual(outcomes, [...bad.map(() => 'STORAGE_REJECTED'), ...good.map(() => 'stored')])
    const letters = await query(
      "select event_id, substring(trace from 'SQLSTATE (.....)') as sqlstate from dead_letters order by event_id",
    )
    assert.deepEqual(
      letters,
      Object.entries(refused).map(([value, sqlstate]) => ({ event_id: `bad-${value}`, sqlstate })),
    )
    for (const [n, statement] of statements.entries())
      if (statement === 'rollback to savepoint part')
        assert.equal(statements[n + 1], 'release savepoint part')
  })
