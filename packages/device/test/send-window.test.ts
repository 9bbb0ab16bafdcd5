import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SendWindow } from '../src/send-window.ts'

test('an answer lets one session send, and each waits for its turn', () => {
  const window = new SendWindow(2)
  const order: string[] = []
  const session = (name: string) => {
    const send = () => {
      while (window.hasRoom && order.length < 6) {
        order.push(name)
        window.sent()
      }
      window.whenRoom(send)
    }
    return send
  }
  session('a')()
  session('b')()
  for (let n = 0; n < 4; n++) window.answered()
  assert.deepEqual(order, ['a', 'a', 'a', 'b', 'a', 'b'])
})
