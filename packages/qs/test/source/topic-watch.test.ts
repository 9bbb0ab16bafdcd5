import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  dynamicSecurityMissing,
  OPERATOR,
  startManagedMosquitto,
} from '@qs-telemetry/testing/dynamic-security.ts'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import { accountTopics } from '../../src/accounts/operator-login.ts'
import { provision } from '../../src/accounts/provision.ts'
import { TopicWatch } from '../../src/source/topic-watch.ts'
import { fakeBroker, suback } from './fake-broker.ts'

test('topics are received on demand, and a missing permission is reported in advance', {
  skip: dynamicSecurityMissing,
}, async (t) => {
  const { url, kill, restart } = await startManagedMosquitto(t)
  const ingester = { username: 'ingester', password: 'ingester-secret' }
  const topics = accountTopics(configOf())
  await provision({ operator: { url, ca: null, ...OPERATOR }, topics, ingester, onDone: () => {} })
  const watchAs = (login: { readonly username: string; readonly password: string }) => {
    const heard: string[] = []
    const watch = new TopicWatch({
      ...{ url, caFile: null, clientId: `watch-${login.username}` },
      ...{ username: login.username, password: () => login.password },
      advice: 'use the account of the operator',
      filters: ['qs/v1/+/events', 'other/#'],
      onMessage: (_topic, payload) => heard.push(payload.toString()),
    })
    watch.start()
    t.after(() => watch.stop())
    return { watch, heard }
  }
  const refused = watchAs(ingester).watch
  const told = 'The broker does not allow the user ingester to read other/#;'
  await until(() => refused.problem?.startsWith(told), 'the refusal is reported')

  const { watch, heard } = watchAs(OPERATOR)
  const sender = await connectAsync(url, { ...OPERATOR, reconnectPeriod: 100 })
  t.after(() => sender.endAsync(true))
  const hears = async (text: string) => {
    await sender.publishAsync('qs/v1/d/events', text, { qos: 1 })
    return heard.includes(text)
  }
  await until(() => watch.problem === null, 'it is connected')
  watch.open(true)
  await until(() => hears('open'), 'it receives')
  watch.open(false)
  await until(async () => !(await hears(`closed ${heard.length}`)), 'it no longer receives')

  watch.open(true)
  await kill()
  await until(() => watch.problem?.includes('No connection to the broker'), 'the loss is reported')
  await restart()
  await until(() => hears('again'), 'it receives again')
  assert.equal(watch.problem, null)
})

test('a connection that ends before the SUBACK is tried again', async (t) => {
  const { url, peers } = await fakeBroker(t, {
    onPacket: (peer, packet) => {
      if (packet.cmd !== 'subscribe') return
      if (peers.length === 1) peer.destroy()
      else peer.send(suback(packet.messageId ?? 0))
    },
  })
  const watch = new TopicWatch({
    ...{ url, caFile: null, clientId: 'watch', username: null, password: () => null },
    ...{ advice: '', filters: ['qs/v1/+/events'], onMessage: () => {} },
  })
  watch.start()
  t.after(() => watch.stop())
  await until(() => peers.length === 2 && watch.problem === null, 'the second connection is subscribed')
})
