import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { connectAsync } from 'mqtt'
import { SMTPServer } from 'smtp-server'
import { addChannel, listChannels } from '../../src/alerts/channels.ts'
import { removeRule } from '../../src/alerts/rules.ts'
import { startReceiver, startStage, until } from './alert-stage.ts'

const FREEZER = { name: 'freezer', kind: 'value', types: 'temp', above: -15 } as const

async function startSmtp(t: TestContext, password: string) {
  const mails: string[] = []
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username, password: given }, _session, done) => {
      if (username === 'me' && given === password) return done(null, { user: 'me' })
      done(new Error(`no ${given}`))
    },
    onData: (stream, _session, done) => {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        mails.push(Buffer.concat(parts).toString())
        done()
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { mails, port: (server.server.address() as AddressInfo).port }
}

test('mail arrives at a real server; a wrong password is an error that does not repeat it', async (t) => {
  const stage = await startStage(t)
  const { mails, port } = await startSmtp(t, 'right-password')
  await stage.rules(FREEZER)
  const settings = {
    server: `smtp://127.0.0.1:${port}`,
    from: 'qs@example.org',
    to: 'me@example.org',
    user: 'me',
  }
  const add = (name: string, password: string) =>
    addChannel(stage.pool, { name, kind: 'mail', settings: { ...settings, password }, quiet: null })
  await add('good', 'right-password')
  await add('wrong', 'wrong-password')
  await stage.reading('freezer-ä', 5)
  await stage.pass(45)
  await until(() => mails.length === 1, 'the mail')
  assert.match(mails[0] ?? '', /^Subject: Alert: freezer\r$/m)
  assert.match(mails[0] ?? '', /temp is 5/)
  const wrong = await until(async () => {
    const channels = await listChannels(stage.pool)
    return channels.find(({ name, failingSince }) => name === 'wrong' && failingSince !== null) ?? null
  }, 'the failure')
  assert.match(wrong.error ?? '', /535/)
  assert.doesNotMatch(`${JSON.stringify(wrong)}${JSON.stringify(stage.records)}`, /wrong-password/)
})

/** A broker gets the state, the changes and the discovery, and forgets a rule that is gone. */
async function checkBroker(t: TestContext, brokerUrl: string) {
  const stage = await startStage(t, { brokerUrl })
  await stage.rules(FREEZER, { name: 'disk', kind: 'disk' })
  const client = await connectAsync(brokerUrl)
  t.after(() => client.endAsync(true))
  const seen = new Map<string, string>()
  client.on('message', (topic, payload) => seen.set(topic, payload.toString()))
  await client.subscribeAsync(['qs/v1/alerts/#', 'homeassistant/#'], { qos: 1 })
  const stateOf = (rule: string) =>
    (JSON.parse(seen.get(`qs/v1/alerts/rules/${rule}`) || '{}') as { state?: string }).state ?? null

  await addChannel(stage.pool, { name: 'ha', kind: 'mqtt', settings: {}, quiet: null })
  await stage.pass(15)
  await until(() => stateOf('freezer') === 'OFF' && stateOf('disk') === 'OFF', 'the first state')
  const config = await until(
    () => seen.get('homeassistant/binary_sensor/qs_alert_freezer/config'),
    'the discovery',
  )
  const discovery = JSON.parse(config) as Record<string, unknown>
  assert.deepEqual(
    [discovery.state_topic, discovery.device_class, discovery.unique_id],
    ['qs/v1/alerts/rules/freezer', 'problem', 'qs_alert_freezer'],
  )
  await stage.reading('freezer-1', 5)
  await until(async () => {
    await stage.pass(15)
    return stateOf('freezer') === 'ON'
  }, 'it fires')
  const late = await connectAsync(brokerUrl)
  t.after(() => late.endAsync(true))
  const retained: string[] = []
  late.on('message', (_topic, payload, { retain }) => void (retain && retained.push(payload.toString())))
  await late.subscribeAsync('qs/v1/alerts', { qos: 1 })
  await until(() => retained.length > 0, 'the state is retained')
  const all = JSON.parse(retained[0] ?? '') as { state: string; firing: readonly { device_id: string }[] }
  assert.deepEqual([all.state, all.firing[0]?.device_id], ['firing', 'freezer-1'])
  await until(() => /"change":"firing"/.test(seen.get('qs/v1/alerts/changes') ?? ''), 'the change')

  await removeRule(stage.pool, 'disk')
  await until(
    async () =>
      (await stage.pass(60, 60)) === undefined &&
      seen.get('qs/v1/alerts/rules/disk') === '' &&
      seen.get('homeassistant/binary_sensor/qs_alert_disk/config') === '',
    'the removed rule is forgotten',
  )
}

test('Mosquitto has the retained state and the discovery for Home Assistant', {
  skip: mosquittoMissing,
}, async (t) => {
  await checkBroker(t, (await startMosquitto(t)).url)
})

test('the broker of qs up likewise, and its topics do not count as misspelt ones', async (t) => {
  const { mqttPort, api } = await startTestConsole(t)
  await checkBroker(t, `mqtt://127.0.0.1:${mqttPort}`)
  const { body } = await api<{ topics: readonly { topic: string }[] }>('/api/unhandled-topics')
  assert.deepEqual(body.topics, [])
})

test('a broker that cannot be reached is an error of the channel', async (t) => {
  const stage = await startStage(t)
  await addChannel(stage.pool, { name: 'ha', kind: 'mqtt', settings: {}, quiet: null })
  await stage.pass(15)
  const [channel] = await until(async () => {
    const channels = await listChannels(stage.pool)
    return channels[0]?.failingSince === null ? null : channels
  }, 'the failure')
  assert.match(channel?.error ?? '', /ECONNREFUSED/)
})

test('ntfy, Telegram and a template get what their services expect', async (t) => {
  const stage = await startStage(t)
  const receiver = await startReceiver(t)
  const server = receiver.url
  await stage.rules(FREEZER)
  const add = (name: string, kind: 'ntfy' | 'telegram' | 'webhook', settings: Record<string, string>) =>
    addChannel(stage.pool, { name, kind, settings, quiet: null })
  await add('n', 'ntfy', { server, topic: 'the-topic', token: 'tk' })
  await add('t', 'telegram', { server, token: '12:ab', chat: '-100' })
  await add('w', 'webhook', { url: `${server}/hook`, template: '{"text":"{{title}}: {{text}}"}' })
  await stage.reading('the "best" freezer', 5)
  await stage.pass(45)
  await until(() => receiver.received.length === 3, 'all three')
  const bodyOf = (path: string) => {
    const found = receiver.received.find((each) => each.path === path)
    return JSON.parse(found?.body ?? '{}') as Record<string, unknown>
  }
  const text = 'Alert: the "best" freezer: temp is 5 °C, above -15 °C'
  assert.deepEqual(bodyOf('/'), {
    ...{ topic: 'the-topic', title: 'Alert: freezer', message: text, priority: 4, tags: ['rotating_light'] },
  })
  assert.deepEqual(bodyOf('/bot12:ab/sendMessage'), { chat_id: '-100', text: `Alert: freezer\n${text}` })
  assert.deepEqual(bodyOf('/hook'), { text: `Alert: freezer: ${text}` })
})
