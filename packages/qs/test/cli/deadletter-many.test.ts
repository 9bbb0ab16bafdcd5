import assert from 'node:assert/strict'
import { test } from 'node:test'
import { json, startTestConsole } from '@qs-telemetry/testing/console.ts'
import { runQs } from '@qs-telemetry/testing/qs.ts'

const BOARDS = 25
const forgetful = (n: number) => ({
  event_id: `b${n}-1`,
  device_id: `b${n}`,
  event_type: 'temp',
  value: n,
  age_ms: 60_000,
})

/** Bytes that are not UTF-8, so no patch can apply. */
const LATIN = '{"event_id":"l-1","device_id":"latin","event_type":"temp","value":1,"unit":"°C"}'

async function start(t: Parameters<typeof startTestConsole>[0]) {
  const running = await startTestConsole(t)
  for (let n = 0; n < BOARDS; n++) await running.publish(`b${n}`, forgetful(n))
  await running.publish('other', '{"schema":1,')
  await running.publish('latin', Buffer.from(LATIN, 'latin1'))
  const env = { MQTT_URL: `mqtt://127.0.0.1:${running.mqttPort}`, DATABASE_URL: running.databaseUrl }
  const qs = (...args: readonly string[]) => runQs(t, ['deadletter', ...args], { env })
  return { ...running, qs }
}

/** Seconds from each measurement to its letter, and from the letter to the server time. */
const TIMES = `
  select e.event_id, extract(epoch from d.received_at - e.ts)::float8 as before, extract(epoch from e.ts_server - d.received_at)::float8 as after
  from events e join dead_letters d on d.event_id = e.event_id`

test('one patch repairs the letters of 25 boards with a missing field, once; they keep their time through the broker', async (t) => {
  const { qs, query } = await start(t)
  const patch = ['--code', 'MISSING_FIELD', '--merge', '{"schema":1}']
  const repairs = async () =>
    (await query(`select count(*)::int as n from dead_letter_history where action = 'repaired'`))[0]?.n

  const preview = await qs('fix', ...patch, '--dry-run')
  assert.equal(
    preview.stdout,
    '25 ready, 0 still wrong, 0 already replayed; 25 would change (dry run, nothing changed)\n',
  )
  assert.equal(await repairs(), 0)
  const some = await qs('fix', '--of', 'b1,b2', '--merge', '{"schema":7}')
  assert.match(
    some.stdout,
    /wrong \d+ +UNSUPPORTED_SCHEMA.*\n(.*\n)*0 ready, 2 still wrong, 0 already replayed; 2 changed/,
  )
  assert.equal(some.code, 1)
  assert.match((await qs('fix', ...patch)).stdout, /^25 ready, 0 still wrong, 0 already replayed; 25 changed/)
  assert.match((await qs('fix', ...patch)).stdout, /; 0 changed/)
  assert.equal(await repairs(), 27)
  const all = await qs('fix', '--all', '--merge', '{"schema":1}')
  assert.match(all.stdout, /INVALID_JSON/)
  assert.match(all.stdout, /INVALID_UTF8/)
  assert.match(all.stdout, /\n25 ready, 2 still wrong/)
  assert.match((await qs('fix', '--all')).stderr, /letters need --merge/)
  assert.match((await qs('fix', '--merge', '{}')).stderr, /Say what to fix/)

  assert.equal((await qs('replay', '--code', 'MISSING_FIELD')).code, 0)
  const times = await query(TIMES)
  assert.equal(times.length, BOARDS)
  for (const { before, after } of times) {
    // Through the broker, the server time is that of the replay; the age corrects for it, except for transit time.
    assert.ok(
      Number(after) > 0 && Math.abs(60 - Number(before)) < Number(after),
      JSON.stringify({ before, after }),
    )
  }
  assert.match((await qs('fix', ...patch)).stdout, /^0 ready, 0 still wrong, 25 already replayed; 0 changed/)
})

test('the console repairs many letters with one patch and keeps the server time of the letters', async (t) => {
  const { api, query } = await start(t)
  const choice = { codes: ['MISSING_FIELD'], merge: '{"schema":1,"meta":{"n":12345678901234567890}}' }
  const patch = (body: object) =>
    api<{ results: { result: string; isChanged: boolean }[]; next: string | null }>(
      '/api/letters/patch',
      json('POST', body),
    )
  const tally = ({ body: { results } }: Awaited<ReturnType<typeof patch>>) => [
    results.filter(({ result }) => result === 'ready').length,
    results.filter(({ isChanged }) => isChanged).length,
  ]
  assert.deepEqual(tally(await patch({ ...choice, dryRun: true })), [25, 25])
  assert.deepEqual(await query('select from dead_letter_history'), [])
  assert.deepEqual(tally(await patch(choice)), [25, 25])
  assert.deepEqual(tally(await patch(choice)), [25, 0])
  for (const merge of ['nonsense', '[]', '7']) assert.equal((await patch({ ...choice, merge })).status, 400)
  assert.equal((await patch({ merge: '{}' })).status, 400)

  await api('/api/letters/replay', json('POST', { devices: ['b0'], now: true }))
  await api('/api/letters/replay', json('POST', { codes: ['MISSING_FIELD'] }))
  const times = await query(`${TIMES} order by e.event_id`)
  assert.equal(times.length, BOARDS)
  for (const { event_id: id, before, after } of times) {
    if (id === 'b0-1') assert.ok(Number(after) > 0)
    else assert.deepEqual([before, after], [60, 0], String(id))
  }
  assert.equal(
    (await query(`select distinct meta::text from events`))[0]?.meta,
    '{"n": 12345678901234567890}',
  )
  const audit = await query(`select detail from audit_log where action = 'letters patched' order by 1`)
  assert.equal(audit.length, 2)
})
