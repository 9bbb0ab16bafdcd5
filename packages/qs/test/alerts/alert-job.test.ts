import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addChannel, listChannels } from '../../src/alerts/channels.ts'
import { muteRule } from '../../src/alerts/rules.ts'
import { startTest, testOutcome } from '../../src/alerts/test-channel.ts'
import { alertsIn, startReceiver, startStage, until } from './alert-stage.ts'

const FREEZER = {
  name: 'freezer',
  kind: 'value',
  types: 'temp',
  devices: 'freezer-*',
  above: -15,
  back: 2,
} as const

test('a value above its limit is told once, through restarts, and its end once, beyond the hysteresis', async (t) => {
  const stage = await startStage(t)
  const receiver = await startReceiver(t)
  await stage.rules({ ...FREEZER, forSeconds: 120 })
  await addChannel(stage.pool, {
    name: 'hook',
    kind: 'webhook',
    settings: { url: `${receiver.url}/hook` },
    quiet: null,
  })
  for (const [value, seconds] of [
    [-18, 60],
    [-14, 90],
    [-18, 60],
    [-14, 60],
  ] as const) {
    await stage.reading('freezer-1', value)
    await stage.pass(seconds)
  }
  assert.deepEqual(await stage.history(), [], 'not for long enough')
  await stage.restart()
  await stage.pass(90)
  await stage.restart()
  await stage.pass(600)
  assert.deepEqual(await stage.history(), ['firing freezer freezer-1 temp'])
  await stage.reading('freezer-1', -16)
  await stage.pass(60)
  assert.deepEqual(await stage.history(), ['firing freezer freezer-1 temp'], 'within the hysteresis')
  await stage.reading('freezer-1', -17.5)
  await stage.pass(15)
  await stage.restart()
  await stage.pass(60)
  await until(() => receiver.received.length === 2, 'both are told')
  assert.deepEqual(receiver.received.map(alertsIn), [
    ['firing freezer freezer-1'],
    ['ended freezer freezer-1'],
  ])
  const { alerts } = JSON.parse(receiver.received[0]?.body ?? '') as {
    alerts: readonly { value: number; message: string; event_type: string }[]
  }
  assert.equal(alerts[0]?.message, 'freezer-1: temp is -14 °C, above -15 °C')
  assert.deepEqual([alerts[0]?.value, alerts[0]?.event_type], [-14, 'temp'])
})

test('a channel that fails is tried again with pauses, gets everything in one message, and is shown without its secret', async (t) => {
  const stage = await startStage(t)
  const receiver = await startReceiver(t)
  await stage.rules(FREEZER)
  const settings = { url: `${receiver.url}/secret-hook`, authorization: 'Bearer secret-token' }
  await addChannel(stage.pool, { name: 'hook', kind: 'webhook', settings, quiet: null })
  receiver.answer = (response) => {
    response.statusCode = 503
    response.end('busy, secret-token was refused: Bearer secret-token')
  }
  await stage.reading('freezer-1', 5)
  await stage.pass(45)
  await until(async () => (await listChannels(stage.pool))[0]?.failingSince !== null, 'the failure is noted')
  await stage.reading('freezer-2', 5)
  await stage.pass(3_600)
  const tries = receiver.received.length
  assert.ok(tries > 4 && tries < 20, `${tries} tries in an hour`)
  const [channel] = await listChannels(stage.pool)
  assert.equal(channel?.error, 'HTTP 503: busy, secret-token was refused: •••')
  assert.equal(channel?.shown, `url ${receiver.url}/…, authorization •••`)
  assert.equal(channel?.waiting, 2)
  await stage.pass(15)
  assert.deepEqual(
    stage.jobs.current.job.broken.map(({ name }) => name),
    ['hook'],
  )

  receiver.answer = (response) => void response.end()
  await stage.pass(600)
  await until(async () => (await listChannels(stage.pool))[0]?.failingSince === null, 'it works again')
  assert.deepEqual(alertsIn(receiver.received.at(-1) ?? assert.fail()), [
    'firing freezer freezer-1',
    'firing freezer freezer-2',
  ])
  const count = receiver.received.length
  await stage.pass(600)
  assert.equal(receiver.received.length, count, 'told once')
  assert.deepEqual(stage.jobs.current.job.broken, [])
  assert.doesNotMatch(JSON.stringify(stage.records), /Bearer|secret-hook/)
})

test('a channel that never answers keeps neither another channel nor the rules waiting', async (t) => {
  const stage = await startStage(t)
  const [deaf, good] = [await startReceiver(t), await startReceiver(t)]
  deaf.answer = () => {}
  await stage.rules(FREEZER)
  await addChannel(stage.pool, { name: 'deaf', kind: 'webhook', settings: { url: deaf.url }, quiet: null })
  await addChannel(stage.pool, { name: 'good', kind: 'webhook', settings: { url: good.url }, quiet: null })
  await stage.reading('freezer-1', 5)
  await stage.pass(45)
  await until(() => deaf.received.length === 1 && good.received.length === 1, 'both are asked')
  await stage.reading('freezer-1', -20)
  await stage.pass(45)
  await until(() => good.received.length === 2, 'the other one hears of the end')
  assert.deepEqual(good.received.map(alertsIn), [['firing freezer freezer-1'], ['ended freezer freezer-1']])
  assert.equal(deaf.received.length, 1)
})

test('of two ingesters one evaluates and tells, and the other takes over', async (t) => {
  const stage = await startStage(t)
  const receiver = await startReceiver(t)
  await stage.rules(FREEZER)
  await addChannel(stage.pool, {
    name: 'hook',
    kind: 'webhook',
    settings: { url: receiver.url },
    quiet: null,
  })
  const other = stage.startJob()
  await stage.reading('freezer-1', 5)
  for (let i = 0; i < 8; i++) {
    await stage.pass(15)
    await other.look()
  }
  await until(() => receiver.received.length === 1, 'one message')
  await stage.jobs.current.job.stop()
  stage.jobs.current = other
  await stage.reading('freezer-1', -20)
  await stage.pass(60)
  await until(() => receiver.received.length === 2, 'the end, by the other one')
  assert.deepEqual(await stage.history(), ['firing freezer freezer-1 temp', 'ended freezer freezer-1 temp'])
})

test('when all go silent at once, one alert says so; who stays silent when the others are back is named', async (t) => {
  const stage = await startStage(t)
  const receiver = await startReceiver(t)
  await stage.rules(
    { name: 'silent', kind: 'device-silent', forSeconds: 60 },
    { name: 'nothing', kind: 'nothing-ingested', forSeconds: 900 },
  )
  await addChannel(stage.pool, {
    name: 'hook',
    kind: 'webhook',
    settings: { url: receiver.url },
    quiet: null,
  })
  const names = Array.from({ length: 30 }, (_, n) => `board-${n}`)
  for (const [n, name] of names.entries()) {
    await stage.reading(name, 20, { every: n < 10 ? 30 : 120 })
    await stage.pass(1, 1)
  }
  await stage.pass(3_600)
  assert.deepEqual(await stage.history(), ['firing nothing'])
  for (const name of names.slice(0, -1)) await stage.reading(name, 20, { every: 30 })
  await stage.pass(60)
  assert.deepEqual(await stage.history(), ['firing nothing', 'ended nothing'])
  for (let i = 0; i < 8; i++) {
    for (const name of names.slice(0, -1)) await stage.reading(name, 20, { every: 30 })
    await stage.pass(30)
  }
  await until(() => receiver.received.length === 3, 'all are told')
  assert.deepEqual(receiver.received.map(alertsIn), [
    ['firing nothing'],
    ['ended nothing'],
    ['firing silent board-29'],
  ])
  assert.match(receiver.received[0]?.body ?? '', /30 devices silent/)
})

test('a room that loses its power is one message that names its devices', async (t) => {
  const stage = await startStage(t)
  const receiver = await startReceiver(t)
  await stage.rules({ name: 'silent', kind: 'device-silent' })
  await addChannel(stage.pool, {
    name: 'hook',
    kind: 'webhook',
    settings: { url: receiver.url },
    quiet: null,
  })
  for (let n = 0; n < 6; n++) await stage.reading(`cellar-${n}`, 20, { every: 60 })
  for (let i = 0; i < 20; i++) {
    await stage.reading('kitchen', 20, { every: 15 })
    await stage.pass(15)
  }
  await until(() => receiver.received.length === 1, 'one message')
  const { text, title } = JSON.parse(receiver.received[0]?.body ?? '') as { text: string; title: string }
  assert.equal(title, 'Alert: 6')
  assert.equal(text, `Alert: silent, 6 at once: ${[0, 1, 2, 3, 4, 5].map((n) => `cellar-${n}`).join(', ')}`)
})

test('quiet hours hold what is not urgent, and a test waits for nothing', async (t) => {
  const stage = await startStage(t)
  const receiver = await startReceiver(t)
  await stage.rules(
    { ...FREEZER, name: 'calm' },
    { ...FREEZER, name: 'loud', types: 'door', above: 0, back: 0, urgent: true },
  )
  const quiet = { from: '13:00', to: '13:59', zone: 'Europe/Berlin' }
  await addChannel(stage.pool, { name: 'hook', kind: 'webhook', settings: { url: receiver.url }, quiet })
  await stage.reading('freezer-1', 5)
  await stage.pass(120)
  assert.equal(receiver.received.length, 0)
  const started = await startTest(stage.pool, 'hook')
  await stage.pass(15)
  await until(async () => (await testOutcome(stage.pool, started)).kind === 'sent', 'the test is sent')
  await stage.reading('freezer-1', 1, { type: 'door' })
  await stage.pass(60)
  await until(() => receiver.received.length === 2, 'the urgent one')
  await stage.pass(3_600, 60)
  await until(() => receiver.received.length === 3, 'the other one afterwards')
  assert.deepEqual(receiver.received.map(alertsIn), [
    ['test'],
    ['firing loud freezer-1'],
    ['firing calm freezer-1'],
  ])
})

test('a muted rule is shown and not told; the first failing test of a channel says why at once', async (t) => {
  const stage = await startStage(t)
  const receiver = await startReceiver(t)
  receiver.answer = (response) => {
    response.statusCode = 403
    response.end()
  }
  await stage.rules(FREEZER)
  await muteRule(stage.pool, 'freezer', 'infinity')
  await addChannel(stage.pool, {
    name: 'hook',
    kind: 'webhook',
    settings: { url: receiver.url },
    quiet: null,
  })
  await stage.reading('freezer-1', 5)
  await stage.pass(60)
  assert.deepEqual(await stage.history(), ['firing freezer freezer-1 temp'])
  assert.equal(receiver.received.length, 0)
  const started = await startTest(stage.pool, 'hook')
  await stage.pass(15)
  const outcome = await until(async () => {
    const found = await testOutcome(stage.pool, started)
    return found.kind === 'waiting' ? null : found
  }, 'the outcome')
  assert.deepEqual(outcome, { kind: 'failed', error: 'HTTP 403' })
})

test('events that never came are told once, and the alert ends after a day although they stay lost', async (t) => {
  const stage = await startStage(t)
  await stage.rules({ name: 'lost', kind: 'gaps', devices: 'board-*', above: 2, forSeconds: 900 })
  const came = (first: number, last: number, device = 'board-1') =>
    stage.pool.query(
      `insert into received_numbers select $3, '1', $1, $2, at, at, at
       from (select timestamptz '2026-11-03T11:00Z' + $1 * interval '1 minute' as at) x`,
      [first, last, device],
    )
  const summarize = () => stage.pool.query(`select summarize_gaps('{board-1,board-2,other}')`)
  for (const device of ['board-1', 'board-2', 'other']) {
    await stage.reading(device, 1)
    await came(0, 9, device)
    await came(12, 40, device)
  }
  await summarize()
  await stage.pass(1_800)
  assert.deepEqual(await stage.history(), [], 'two are not more than two')
  await came(44, 59)
  await summarize()
  await stage.pass(600)
  assert.deepEqual(await stage.history(), [], 'they may still come')
  await stage.pass(600)
  assert.deepEqual(await stage.history(), ['firing lost board-1'])
  await stage.restart()
  await stage.pass(24 * 3_600, 3_600)
  assert.deepEqual(await stage.history(), ['firing lost board-1', 'ended lost board-1'])
})

test('the alert of a device ends when it is archived, and it raises none until it sends again', async (t) => {
  const stage = await startStage(t)
  await stage.rules(
    { name: 'silent', kind: 'device-silent' },
    { name: 'dry', kind: 'series-silent' },
    { name: 'hot', kind: 'value', types: 'temp', above: 30 },
  )
  await stage.reading('shed', 40)
  await stage.pass(15)
  assert.deepEqual(await stage.history(), ['firing hot shed temp'])
  await stage.pool.query(`update devices set archived_at = $1`, [stage.now()])
  for (let minute = 0; minute < 10; minute++) {
    await stage.reading('kitchen', 20)
    await stage.pass(60)
  }
  assert.deepEqual(await stage.history(), ['firing hot shed temp', 'ended hot shed temp'])
  await stage.reading('shed', 40)
  await stage.pass(15)
  assert.deepEqual((await stage.history()).slice(2), ['firing hot shed temp'])
})
