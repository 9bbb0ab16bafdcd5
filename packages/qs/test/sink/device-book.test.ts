import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeviceBook } from '../../src/sink/device-book.ts'

const at = (second: number) => `2026-11-23T18:00:${String(second).padStart(2, '0')}.000000Z`

test('a new device is due at once, a known one ten seconds later, with its newest time', () => {
  const book = new DeviceBook()
  book.see('d', at(1))
  book.see('d', at(3))
  assert.deepEqual(book.takeDue(0), [{ deviceId: 'd', firstSeen: at(1), lastSeen: at(3) }])
  book.see('d', at(5))
  book.see('d', at(4))
  assert.deepEqual(book.takeDue(9_000), [])
  assert.deepEqual(book.takeDue(10_000), [{ deviceId: 'd', firstSeen: at(1), lastSeen: at(5) }])
  assert.deepEqual(book.takeDue(30_000), [])
})

test('who is forgotten is written no more, and is new when it comes again', () => {
  const book = new DeviceBook()
  book.see('a', at(1))
  book.takeDue(0)
  book.see('a', at(2))
  book.see('b', at(2))
  book.forget((deviceId) => deviceId === 'a')
  assert.deepEqual(
    book.takeAll(1).map(({ deviceId }) => deviceId),
    ['b'],
  )
  book.see('a', at(3))
  assert.deepEqual(book.takeDue(2), [{ deviceId: 'a', firstSeen: at(3), lastSeen: at(3) }])
})

test('at the end all that is not written is taken, once', () => {
  const book = new DeviceBook()
  book.see('a', at(1))
  book.takeDue(0)
  book.see('a', at(2))
  book.see('b', at(2))
  assert.deepEqual(
    book.takeAll(1).map(({ deviceId }) => deviceId),
    ['a', 'b'],
  )
  assert.deepEqual(book.takeAll(2), [])
})

test('a device that fell silent is forgotten and new again when it speaks', () => {
  const book = new DeviceBook()
  book.see('d', at(1))
  book.takeDue(0)
  book.takeDue(20_000)
  book.see('d', at(30))
  assert.deepEqual(book.takeDue(20_100), [{ deviceId: 'd', firstSeen: at(30), lastSeen: at(30) }])
})
