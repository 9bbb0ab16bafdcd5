import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { until } from '@qs-telemetry/testing/until.ts'

type Fields = Readonly<Record<string, unknown>>

const event = (id: string, fields: Fields = {}) => ({
  schema: 1,
  event_id: id,
  device_id: 'd',
  event_type: 't',
  ...fields,
})

async function start(t: TestContext, settings: Readonly<Record<string, string>> = {}) {
  const broker = await startMosquitto(t)
  const running = await startPipeline(t, broker.url, { settings })
  const { client } = await listen(t, broker.url)
  const { query, databaseUrl } = running
  let expected = 0
  /** Publishes a payload that becomes `letters` dead letters, and waits for them. */
  const poison = async (
    payload: string | Buffer | Fields,
    { topic = 'qs/v1/d/events', letters = 1 } = {},
  ) => {
    const bytes = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload)
    await client.publishAsync(topic, bytes, { qos: 1 })
    expected += letters
    await until(async () => Number(await countOf('dead_letters')) === expected, `${expected} dead letters`)
  }
  const countOf = async (table: string) =>
    (await query(`select count(*)::int as n from ${table}`))[0]?.n as number
  const qs = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    runCommand(['deadletter', ...args], {
      MQTT_URL: broker.url,
      DATABASE_URL: databaseUrl,
      ...settings,
      ...env,
    })
  return { ...running, broker, client, poison, countOf, qs }
}

const linesOf = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Fields)

test('ls filters and pages, show prints everything', { skip: mosquittoMissing }, async (t) => {
  const { poison, qs } = await start(t)
  await poison('{"a":')
  await poison(event('bad-1', { value: {} }))
  await poison(Buffer.from([0x7b, 0xff, 0x00]), { topic: 'qs/v1/other/events' })

  const all = await qs(['ls'])
  assert.equal(all.code, 0)
  assert.match(
    all.stdout,
    /3 .*INVALID_UTF8 +other[\s\S]*2 .*INVALID_VALUE +d +bad-1 +new[\s\S]*1 .*INVALID_JSON/,
  )

  const page = JSON.parse((await qs(['ls', '--limit', '2', '--json'])).stdout) as {
    letters: { id: string }[]
    next: string
  }
  assert.deepEqual([page.letters.map(({ id }) => id), page.next], [['3', '2'], '2'])
  const rest = JSON.parse((await qs(['ls', '--after', page.next, '--json'])).stdout) as typeof page
  assert.deepEqual([rest.letters.map(({ id }) => id), rest.next], [['1'], null])

  const idsOf = async (...filter: string[]) =>
    (JSON.parse((await qs(['ls', '--json', ...filter])).stdout) as typeof page).letters.map(({ id }) => id)
  assert.deepEqual(await idsOf('--code', 'INVALID_JSON,invalid_value'), ['2', '1'])
  assert.deepEqual(await idsOf('--device', 'other', '--since', '1h'), ['3'])
  assert.deepEqual(await idsOf('--until', '2020-01-01'), [])
  assert.deepEqual(await idsOf('--id', '2'), ['2'])

  const shown = await qs(['show', '2'])
  assert.match(
    shown.stdout,
    /INVALID_VALUE[\s\S]*what to do +value must be[\s\S]*qs\/v1\/d\/events[\s\S]*"value":\{\}/,
  )
  assert.match((await qs(['show', '3'])).stdout, /3 bytes, hex\n {2}7bff00/)
  const json = JSON.parse((await qs(['show', '3', '--json'])).stdout) as Fields
  assert.deepEqual([json.payload, json.payload_encoding], ['e/8A', 'base64'])

  const missing = await qs(['show', '99'])
  assert.deepEqual([missing.code, /no dead letter 99/.test(missing.stderr)], [1, true])
  for (const wrong of [
    ['show', 'x'],
    ['ls', '--code', 'NOPE'],
    ['ls', '--since', 'yesterday'],
    ['replay'],
    ['purge'],
  ])
    assert.equal((await qs(wrong)).code, 2, wrong.join(' '))
})

test('a letter is repaired by a merge patch, replayed, and keeps its bytes and its history', {
  skip: mosquittoMissing,
}, async (t) => {
  const { poison, qs, query, countOf } = await start(t)
  const sent =
    '{"schema":1,"event_id":"a","device_id":"d","event_type":"t","value":{},"meta":{"n":12345678901234567890}}'
  await poison(`[${sent},{"schema":1,"event_id":"good","device_id":"d","event_type":"t"}]`)

  const unready = await qs(['replay', '1', '--json'])
  assert.deepEqual([unready.code, linesOf(unready.stdout)[0]?.result], [1, 'wrong'])
  assert.equal(await countOf('dead_letters'), 1, 'what is still wrong is not sent')

  const half = await qs(['fix', '1', '--merge', '{"value":"ok","unit":7}'])
  assert.match(half.stdout, /INVALID_FIELD a: unit is not a string/)
  assert.equal(half.code, 1)
  const fixed = await qs(['fix', '1', '--merge', '{"unit":null}'])
  assert.match(fixed.stdout, /replay 1/)
  assert.equal(fixed.code, 0)

  const dry = await qs(['replay', '1', '--dry-run', '--json'])
  assert.deepEqual(linesOf(dry.stdout), [
    { id: '1', eventIds: ['a'], result: 'stored', code: null, detail: null },
  ])
  assert.equal(await countOf('events'), 1, 'a dry run sends nothing')

  const replayed = await qs(['replay', '1'])
  assert.match(replayed.stdout, /1 +stored\n1 stored/)
  assert.equal(replayed.code, 0)
  assert.deepEqual(await query(`select value_text, meta::text from events where event_id = 'a'`), [
    { value_text: 'ok', meta: '{"n": 12345678901234567890}' },
  ])
  assert.match((await qs(['replay', '1'])).stdout, /1 skipped/)
  assert.match((await qs(['replay', '1', '--again'])).stdout, /1 duplicate/)

  const [row] = await query('select payload from dead_letters')
  assert.equal(String(row?.payload), sent)
  const history = await query('select action, outcome from dead_letter_history order by history_id')
  assert.deepEqual(
    history.map(({ action, outcome }) => outcome ?? action),
    ['repaired', 'repaired', 'stored', 'duplicate'],
  )
  assert.match((await qs(['show', '1'])).stdout, /history\n.*repaired[\s\S]*replayed: stored/)
  assert.match((await qs(['ls', '--open'])).stdout, /No dead letters/)
})

test('the editor, a file and another device', { skip: mosquittoMissing }, async (t) => {
  const { poison, qs, query } = await start(t, { MQTT_EVENTS_TOPIC: 'fleet/+/e' })
  const directory = mkdtempSync(join(tmpdir(), 'qs-editor-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const editor = join(directory, 'editor.sh')
  writeFileSync(editor, `sed -i 's/"value":}/"value":3}/' "$1"\n`)
  const broken = JSON.stringify(event('a', { value: 0 })).replace('"value":0', '"value":')
  await poison(broken, { topic: 'fleet/d/e' })
  await poison(event('b'), { topic: 'fleet//e' })
  await poison('junk', { topic: 'fleet//e' })

  const none = await qs(['fix', '1'], { EDITOR: '', VISUAL: '' })
  assert.deepEqual([none.code, /EDITOR/.test(none.stderr)], [2, true])
  assert.equal((await qs(['fix', '1', '--merge', '{"value":3}'])).code, 1, 'no fields without JSON')
  const failed = await qs(['fix', '1'], { EDITOR: 'false' })
  assert.match(failed.stderr, /editor \(false\) ended with 1\. Nothing was changed/)
  const edited = await qs(['fix', '1'], { EDITOR: `sh ${editor}` })
  assert.equal(edited.code, 0, edited.stdout + edited.stderr)

  const nobody = await qs(['replay', '3', '--json'])
  assert.match(String(linesOf(nobody.stdout)[0]?.code), /INVALID_JSON/)
  const file = join(directory, 'payload.json')
  writeFileSync(file, JSON.stringify(event('c', { device_id: 'e' })))
  await qs(['fix', '3', '--file', file])
  const under = await qs(['fix', '3', '--device', 'f'])
  assert.match(under.stdout, /DEVICE_ID_MISMATCH/)
  assert.equal((await qs(['fix', '3', '--device', 'e'])).code, 0)

  const replayed = await qs(['replay', '--all'])
  assert.match(replayed.stdout, /3 stored/)
  assert.deepEqual(await query('select event_id, device_id from events order by 1'), [
    { event_id: 'a', device_id: 'd' },
    { event_id: 'b', device_id: 'd' },
    { event_id: 'c', device_id: 'e' },
  ])
})

test('a conflict is not sent again, and a second rejection leaves no second letter', {
  skip: mosquittoMissing,
}, async (t) => {
  const { poison, client, qs, query, countOf } = await start(t)
  await client.publishAsync('qs/v1/d/events', JSON.stringify(event('a', { value: 1 })), { qos: 1 })
  await until(async () => (await countOf('events')) === 1, 'the first is stored')
  await poison(event('a', { value: 2 }))
  await query('alter table events add constraint sane check (value_num is distinct from 13)')
  await poison(event('b', { value: 13 }))

  assert.match((await qs(['show', '1'])).stdout, /stored under the same event_id\n.*"value_num":1/)
  const first = await qs(['replay', '--all', '--json'])
  assert.deepEqual(
    linesOf(first.stdout).map(({ result, code }) => [result, code]),
    [
      ['conflict', 'EVENT_ID_CONFLICT'],
      ['rejected', 'STORAGE_REJECTED'],
    ],
  )
  assert.equal(first.code, 1)
  await qs(['replay', '2'])
  assert.equal(await countOf('dead_letters'), 2)
  assert.deepEqual(await query('select dead_letter_id::int as id, outcome from dead_letter_history'), [
    { id: 2, outcome: 'rejected' },
    { id: 2, outcome: 'rejected' },
  ])
  await query('alter table events drop constraint sane')
  assert.equal((await qs(['fix', '1', '--merge', '{"event_id":"a-2"}'])).code, 0)
  assert.match((await qs(['replay', '--all'])).stdout, /2 stored/)
})

test('an array that was too long is replayed in parts, letters with the same id one after the other', {
  skip: mosquittoMissing,
}, async (t) => {
  const { poison, qs, query } = await start(t, { LIMIT_ARRAY_EVENTS: '10', LIMIT_MESSAGE_BYTES: '1000' })
  const many = (prefix: string, count: number) =>
    JSON.stringify(Array.from({ length: count }, (_, n) => event(`${prefix}${n}`, { value: n })))
  await poison(many('long-', 12))
  await poison(many('large-', 30))
  await poison('[]')
  for (let n = 0; n < 3; n++) await poison(event('same', { unit: 1 }))
  for (const id of ['4', '5', '6']) await qs(['fix', id, '--merge', `{"unit":"${id === '6' ? 'K' : 'C'}"}`])

  const dry = await qs(['replay', '--all', '--dry-run'])
  assert.match(dry.stdout, /6 +stored +letter \d has the same event_id: the first one is stored/)
  assert.match(dry.stdout, /Would be: 1 wrong, 5 stored/)
  const replayed = await qs(['replay', '--all', '--json'])
  const results = new Map(linesOf(replayed.stdout).map(({ id, result }) => [id, result]))
  assert.deepEqual(
    ['1', '2', '3', '4', '5'].map((id) => results.get(id)),
    ['stored', 'stored', 'wrong', 'stored', 'duplicate'],
  )
  // Detected before sending, if letter 4 is committed by then.
  assert.match(String(results.get('6')), /^(conflict|rejected)$/)
  assert.deepEqual(await query('select count(*)::int as n from events'), [{ n: 43 }])
  assert.deepEqual(await query('select count(*)::int as n from dead_letters'), [{ n: 6 }])
})

test('without an ingester a replay stops at the first letter; without a broker it reports that', {
  skip: mosquittoMissing,
}, async (t) => {
  const { poison, pipeline, broker, qs, query } = await start(t)
  for (let n = 0; n < 40; n++) await poison(event(`e${n}`, { unit: n }))
  await query(`insert into dead_letter_history (dead_letter_id, action, payload)
    select dead_letter_id, 'repaired', replace(convert_from(payload, 'utf8'), 'unit', 'x')::bytea from dead_letters`)
  await pipeline.stop(5_000)
  const unanswered = await qs(['replay', '--all', '--timeout', '1'])
  assert.equal(unanswered.code, 1)
  assert.match(unanswered.stdout, /\d+ unanswered, \d+ not tried\nNo device ack\. Is an ingester running/)
  await broker.kill()
  const refused = await qs(['replay', '1'])
  assert.match(refused.stderr, /No connection to the broker at mqtt:.*Is it running/)
})

test('purge shows the number of letters and asks for confirmation', { skip: mosquittoMissing }, async (t) => {
  const { poison, qs, countOf } = await start(t)
  // One element has an id: an array without any id becomes a single letter.
  await poison(`[${'0,'.repeat(500)}{"event_id":"x"}]`, { letters: 501 })
  const asked = await qs(['purge', '--code', 'NOT_AN_EVENT'])
  assert.deepEqual(
    [asked.code, /Delete 500 dead letters for good\? Confirm with --yes/.test(asked.stderr)],
    [2, true],
  )
  assert.equal(await countOf('dead_letters'), 501)
  const purged = await qs(['purge', '--code', 'NOT_AN_EVENT', '--yes', '--json'])
  assert.deepEqual(JSON.parse(purged.stdout), { purged: 500 })
  assert.match((await qs(['purge', '501', '--yes'])).stdout, /^1 dead letter purged/)
  assert.equal(await countOf('dead_letters'), 0)
})
