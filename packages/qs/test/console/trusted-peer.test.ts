import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trustedPeer } from '../../src/console/trusted-peer.ts'

test('a peer is trusted by address, network and range name, also as IPv4-mapped IPv6', () => {
  const isTrusted = trustedPeer('192.0.2.7, 10.1.0.0/16,loopback, 2001:db8::/32')
  for (const address of ['192.0.2.7', '10.1.255.1', '127.9.9.9', '::1', '2001:db8::5', '::ffff:192.0.2.7'])
    assert.ok(isTrusted(address), address)
  for (const address of ['192.0.2.8', '10.2.0.1', '2001:db9::1', '::ffff:10.2.0.1', ''])
    assert.ok(!isTrusted(address), address)
  assert.ok(!trustedPeer(null)('127.0.0.1'))
})
