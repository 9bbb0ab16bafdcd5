import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generate } from 'mqtt-packet'
import { ProtocolFault, REASON } from '../../src/mqtt/reasons.ts'
import { publish, pureBroker } from './pure-broker.ts'

const READ_BYTES = 64 * 1024

/** A broker whose logins wait for `decide`. */
function undecided() {
  let decide: (reason: 0 | 0x86) => void = () => {}
  const { connect } = pureBroker({
    login: () =>
      new Promise((resolve) => (decide = (reason) => resolve({ reason, account: 'a', ownsId: false }))),
  })
  return { connect, decide: (reason: 0 | 0x86) => decide(reason) }
}

test('while its login waits, a client is read up to 64 KiB and one read, and all of it is taken afterwards', async () => {
  const { connect, decide } = undecided()
  const client = await connect('c')
  const packet = generate(publish('t', 'x'.repeat(10_000), { qos: 1, messageId: 1 }), { protocolVersion: 5 })
  let packets = 0
  for (; !client.isPaused && packets < 100; packets++) await client.sendBytes(packet)
  assert.ok(packets * packet.length < 2 * READ_BYTES, `${packets} packets are read`)
  decide(REASON.success)
  await client.sendBytes(generate({ cmd: 'pingreq' }))
  assert.equal(client.of('puback').length, packets)
  assert.equal(client.of('pingresp').length, 1)
  assert.equal(client.isPaused, false)
})

test('a refused client gets CONNACK, whatever it has sent meanwhile', async () => {
  const { connect, decide } = undecided()
  const client = await connect('c')
  await client.sendBytes(Buffer.alloc(2 * READ_BYTES))
  assert.ok(client.isPaused)
  decide(REASON.badCredentials)
  await client.sendBytes(Buffer.alloc(0))
  assert.deepEqual(
    [client.of('connack').map(({ reasonCode }) => reasonCode), client.isClosed],
    [[REASON.badCredentials], true],
  )
})

test('a client whose account is removed while it logs in gets CONNACK and DISCONNECT, and leaves no session', async () => {
  const { connect, sessions } = pureBroker({
    onOpened: (client) => client.close(new ProtocolFault(REASON.administrativeAction, 'removed')),
  })
  const client = await connect('c')
  assert.deepEqual(
    client.got.map((packet) => [packet.cmd, 'reasonCode' in packet ? packet.reasonCode : null]),
    [
      ['connack', REASON.success],
      ['disconnect', REASON.administrativeAction],
    ],
  )
  assert.deepEqual([client.isClosed, sessions.get('c')], [true, undefined])
})
