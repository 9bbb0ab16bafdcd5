import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { localName } from '../../src/accounts/local-name.ts'

const answer = (address: string) => async () => [{ address, family: 4 }]

test('a .local name counts if it leads to this machine in its network', async (t) => {
  const external = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .find(({ internal }) => !internal)
  if (external === undefined) return t.skip('this machine has no network')
  assert.equal(await localName('NAS.home.arpa', answer(external.address)), 'nas.local')
})

test('it does not count if nobody answers, /etc/hosts does, or another machine has it', async () => {
  assert.equal(await localName('nas', answer('127.0.1.1')), null)
  assert.equal(await localName('nas', answer('203.0.113.9')), null)
  assert.equal(await localName('nas', () => Promise.reject(new Error('ENOTFOUND'))), null)
  assert.equal(await localName('nas', () => new Promise(() => {})), null)
})
