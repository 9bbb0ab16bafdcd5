import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSys } from '../../src/doctor/check-sys.ts'
import { fakeBroker, suback } from '../source/fake-broker.ts'

test('the doctor neither waits for a broker that ends the connection at $SYS nor loses its own to it', async (t) => {
  const broker = await fakeBroker(t, {
    onPacket: (peer, packet) => {
      if (packet.cmd !== 'subscribe') return
      // As rumqttd does.
      if (packet.subscriptions[0]?.topic.startsWith('$SYS')) peer.destroy()
      else peer.send(suback(packet.messageId ?? 0))
    },
  })
  const start = performance.now()
  const context = { access: { url: broker.url }, clientId: 'doctor', version: 4 } as const
  for await (const { status, detail } of checkSys(context)) {
    assert.equal(status, 'unknown')
    assert.match(detail, /ends the connection/)
  }
  assert.deepEqual(
    broker.peers.map(({ connect }) => connect.clientId),
    ['doctor-sys'],
  )
  assert.ok(performance.now() - start < 5_000, 'it waits for no answer on a connection that has ended')
})
