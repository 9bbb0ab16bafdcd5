import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLocalOrigin, isLoopback } from '../../src/endpoints/loopback.ts'

test('127.0.0.0/8, ::1 and localhost are loopback', () => {
  for (const host of ['127.0.0.1', '127.3.2.1', '::1', '[::1]', 'localhost', 'LOCALHOST'])
    assert.ok(isLoopback(host))
})

test('all other hosts are not loopback', () => {
  const hosts = [
    '0.0.0.0',
    '::',
    '',
    '192.168.1.7',
    '127.0.0.1.example.com',
    '127.evil',
    '::ffff:127.0.0.1',
    'board.lan',
  ]
  for (const host of hosts) assert.ok(!isLoopback(host), host)
})

test('programs and local pages may open a WebSocket, pages from other sites may not', () => {
  const local = [undefined, 'http://localhost:8080', 'http://127.0.0.1:8080', 'http://[::1]:8080']
  for (const origin of local) assert.ok(isLocalOrigin(origin), origin)
  for (const origin of ['https://example.com', 'null', '', 'http://localhost.example.com']) {
    assert.ok(!isLocalOrigin(origin), origin)
  }
})
