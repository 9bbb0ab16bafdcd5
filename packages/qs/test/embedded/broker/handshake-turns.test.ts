import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { HandshakeTurns } from '../../../src/embedded/broker/handshake-turns.ts'
import { StandingClock } from '../../broker/pure-broker.ts'

class WaitingSocket extends EventEmitter {
  readonly remoteAddress: string
  destroyed = false

  constructor(remoteAddress: string) {
    super()
    this.remoteAddress = remoteAddress
  }

  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
}

function turns(timeoutMs = 10_000) {
  const clock = new StandingClock()
  const all = new HandshakeTurns({ clock, timeoutMs })
  const started: string[] = []
  const begin = (address: string, name = address) => {
    const socket = new WaitingSocket(address)
    all.add(socket, () => started.push(name))
    return socket
  }
  return { clock, started, begin }
}

test('an address that begins a thousand handshakes gets 200 a second, and another one its turn at once', () => {
  const { clock, started, begin } = turns()
  for (let n = 0; n < 1_000; n++) begin('stranger')
  assert.equal(started.length, 20)
  begin('board')
  clock.pass(20)
  assert.ok(started.includes('board'))
  clock.pass(980)
  assert.equal(started.length, 20 + 200)
  clock.pass(4_000)
  assert.equal(started.length, 1_001)
})

test('the latest of an address comes first, and one that has left or waited too long is not begun', () => {
  const { clock, started, begin } = turns(1_000)
  for (let n = 0; n < 20; n++) begin('board')
  started.length = 0
  begin('board', 'early')
  begin('board', 'left').emit('close')
  begin('board', 'late')
  clock.pass(20)
  assert.deepEqual(started, ['late', 'early'])
  const sockets = Array.from({ length: 500 }, (_, n) => begin('stranger', `${n}`))
  clock.pass(1_000)
  const ended = sockets.filter(({ destroyed }) => destroyed)
  assert.equal(ended.length + started.length - 2, 500)
  assert.ok(ended.length > 290, `${ended.length} have ended`)
})
