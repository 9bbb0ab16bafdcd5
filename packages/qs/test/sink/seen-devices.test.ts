import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeenDevices } from '../../src/sink/seen-devices.ts'

const at = (second: number) => `2026-11-23T18:00:${String(second).padStart(2, '0')}.000000Z`

test('a new device is due at once, a known one ten seconds later, with its newest time', () => {
  const seen = new SeenDevices()
  seen.see('d', at(1))
  seen.see('d', at(3))
  assert.deepEqual(seen.takeDue(0), [{ deviceId: 'd', firstSeen: at(1), lastSeen: at(3) }])
  seen.see('d', at(5))
  seen.see('d', at(4))
  assert.deepEqual(seen.takeDue(9_000), [])
  assert.deepEqual(seen.takeDue(10_000), [{ deviceId: 'd', firstSeen: at(1), lastSeen: at(5) }])
  assert.deepEqual(seen.takeDue(30_000), [])
})

test('a forgotten device is no longer written, and is new when it is seen again', () => {
  const seen = new SeenDevices()
  seen.see('a', at(1))
  seen.takeDue(0)
  seen.see('a', at(2))
  seen.see('b', at(2))
  seen.forget((deviceId) => deviceId === 'a')
  assert.deepEqual(
    seen.takeAll(1).map(({ deviceId }) => deviceId),
    ['b'],
  )
  seen.see('a', at(3))
  assert.deepEqual(seen.takeDue(2), [{ deviceId: 'a', firstSeen: at(3), lastSeen: at(3) }])
})

test('at the end all unwritten devices are taken, once', () => {
  const seen = new SeenDevices()
  seen.see('a', at(1))
  seen.takeDue(0)
  seen.see('a', at(2))
  seen.see('b', at(2))
  assert.deepEqual(
    seen.takeAll(1).map(({ deviceId }) => deviceId),
    ['a', 'b'],
  )
  assert.deepEqual(seen.takeAll(2), [])
})

test('a silent device is forgotten and new again when it sends', () => {
  const seen = new SeenDevices()
  seen.see('d', at(1))
  seen.takeDue(0)
  seen.takeDue(20_000)
  seen.see('d', at(30))
  assert.deepEqual(seen.takeDue(20_100), [{ deviceId: 'd', firstSeen: at(30), lastSeen: at(30) }])
})
