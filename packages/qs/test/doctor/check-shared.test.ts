import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { BrokerProbe } from '../../src/doctor/broker-probe.ts'
import { windowOf } from '../../src/doctor/check-connack.ts'
import { checkShared } from '../../src/doctor/check-shared.ts'
import { connack, fakeBroker, suback } from '../source/fake-broker.ts'

/** A broker that routes by comparing texts; with groups, it takes `$share/group/` from a filter first. */
async function probeOf(t: TestContext, { knowsGroups }: { readonly knowsGroups: boolean }) {
  const filters = new Set<string>()
  const broker = await fakeBroker(t, {
    onPacket: (peer, packet) => {
      if (packet.cmd === 'subscribe') {
        for (const { topic } of packet.subscriptions)
          filters.add(knowsGroups ? topic.replace(/^\$share\/[^/]+\//, '') : topic)
        peer.send(suback(packet.messageId ?? 0))
      } else if (packet.cmd === 'publish') {
        peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0 })
        if (filters.has(packet.topic)) peer.send({ ...packet, qos: 0 })
      } else if (packet.cmd === 'unsubscribe')
        peer.send({ cmd: 'unsuback', messageId: packet.messageId ?? 0, granted: [] })
    },
  })
  const options = { clientId: 'doctor', clean: true, sessionExpirySeconds: 0, version: 4 as const }
  const probe = await BrokerProbe.open({ url: broker.url }, options)
  t.after(() => probe.close())
  const { prefix, clientId } = { prefix: 'qs/v1/qs-doctor/events/check/1', clientId: 'doctor' }
  return checkShared({ prefix, clientId, probe })
}

test('$share/… that is granted but delivers nothing is a problem', async (t) => {
  const { status, detail } = await probeOf(t, { knowsGroups: false })
  assert.equal(status, 'problem')
  assert.match(detail, /granted, but nothing arrives/)
})

test('$share/… through which a message arrives is ok', async (t) => {
  assert.equal((await probeOf(t, { knowsGroups: true })).status, 'ok')
})

test('a window of 10 is a warning with the code that clients get, and 65,535 is not', () => {
  const narrow = windowOf({ ...connack(false, 10) } as Parameters<typeof windowOf>[0])
  assert.equal(narrow.status, 'warning')
  assert.match(narrow.detail, /only 10 .*0x93/)
  assert.equal(windowOf(connack() as Parameters<typeof windowOf>[0]).status, 'ok')
})
