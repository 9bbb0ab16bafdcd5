import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Letter, LetterJudgement, LetterList, ReplayAnswer } from '@qs-telemetry/protocol/api'
import { json, startTestConsole } from '@qs-telemetry/testing/console.ts'

const event = (id: string, fields: object = {}) => ({
  schema: 1,
  event_id: id,
  device_id: 'd',
  event_type: 't',
  ...fields,
})

test('a letter is repaired, replayed through the pipeline, and becomes a row', async (t) => {
  const { publish, api, query, client } = await startTestConsole(t)
  const acks: string[] = []
  client.on('message', (_topic, payload) => acks.push(payload.toString()))
  await client.subscribeAsync('qs/v1/d/acks')
  await publish('d', event('a', { value: { no: 1 } }))
  const { letters } = (await api<LetterList>('/api/letters?state=open')).body
  const [{ id, code }] = letters as [LetterList['letters'][number]]
  assert.equal(code, 'INVALID_VALUE')
  assert.equal(
    (await api<ReplayAnswer>('/api/letters/replay', json('POST', { ids: [id] }))).body.results[0]?.result,
    'wrong',
  )

  const repaired = { payload: JSON.stringify(event('a', { value: 42 })) }
  const worse = { payload: JSON.stringify(event('a', { value: [] })) }
  assert.equal(
    (await api<LetterJudgement>(`/api/letters/${id}/judge`, json('POST', worse))).body.problems[0]?.code,
    'INVALID_VALUE',
  )
  assert.deepEqual(
    (await api<LetterJudgement>(`/api/letters/${id}/judge`, json('POST', repaired))).body.problems,
    [],
  )
  assert.deepEqual(
    (await api<LetterJudgement>(`/api/letters/${id}/repair`, json('PUT', repaired))).body.problems,
    [],
  )
  const shown = (await api<Letter>(`/api/letters/${id}`)).body
  assert.equal(shown.now.payload, repaired.payload)
  assert.match(shown.original.payload, /"no":1/)

  const { results, left } = (await api<ReplayAnswer>('/api/letters/replay', json('POST', { ids: [id] }))).body
  assert.deepEqual([results[0]?.result, results[0]?.eventIds, left], ['stored', ['a'], 0])
  assert.deepEqual(await query('select event_id, value_num from events'), [{ event_id: 'a', value_num: 42 }])
  assert.equal((await api<LetterList>('/api/letters?state=open')).body.letters.length, 0)
  assert.equal((await api<LetterList>('/api/letters?state=done')).body.letters[0]?.state, 'stored')
  assert.equal(JSON.parse(acks.at(-1) ?? '{}').status, 'stored')
  const actions = await query('select action from audit_log order by audit_id')
  assert.deepEqual(
    actions.map(({ action }) => action),
    ['letters replayed', 'letter repaired', 'letters replayed'],
  )
})

test('many are replayed at once, those still wrong are listed; binary payloads survive; purge deletes', async (t) => {
  const { publish, api, query } = await startTestConsole(t)
  for (let index = 0; index < 3; index++) await publish('d', event(`m${index}`, { event_type: undefined }))
  await publish('d', Buffer.from([0x7b, 0xff]))
  await publish('d', event('m9', { value: {} }))
  const { letters } = (await api<LetterList>('/api/letters?limit=3')).body
  assert.equal(letters.length, 3)
  const next = (await api<LetterList>(`/api/letters?limit=3&after=${letters[2]?.id}`)).body
  assert.deepEqual([next.letters.length, next.next], [2, null])

  const binary = (await api<LetterList>('/api/letters?code=INVALID_UTF8')).body.letters[0]
  const shown = (await api<Letter>(`/api/letters/${binary?.id}`)).body
  assert.deepEqual([shown.original.encoding, shown.original.payload], ['base64', 'e/8='])

  for (const [index, { id }] of next.letters.entries()) {
    const payload = JSON.stringify(event(`m${index}`, { value: index }))
    await api(`/api/letters/${id}/repair`, json('PUT', { payload }))
  }
  const { results } = (await api<ReplayAnswer>('/api/letters/replay', json('POST', { state: 'open' }))).body
  assert.deepEqual(results.map(({ result }) => result).sort(), [
    'stored',
    'stored',
    'wrong',
    'wrong',
    'wrong',
  ])

  assert.equal((await api('/api/letters/purge', json('POST', {}))).status, 400)
  assert.equal((await api('/api/letters/replay', json('POST', { idz: ['1'] }))).status, 400)
  assert.deepEqual((await api('/api/letters/purge', json('POST', { codes: ['INVALID_UTF8'] }))).body, {
    purged: 1,
  })
  assert.deepEqual((await api('/api/letters/purge', json('POST', { all: true }))).body, { purged: 4 })
  assert.deepEqual(await query('select from dead_letters'), [])
  assert.equal((await api('/api/letters/12345')).status, 404)
})
