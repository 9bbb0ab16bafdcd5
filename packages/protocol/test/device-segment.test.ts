import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceOfSegment, deviceSegment } from '../src/device-segment.ts'

const IDS = [
  'kitchen',
  '.',
  '..',
  '...',
  '~',
  '~.',
  '~..',
  '~~..',
  '~x',
  '%2e%2e',
  'a%2Fb',
  'a b',
  'ß;?&=',
  '__proto__',
]

test('every device id survives the path of a URL and comes back', () => {
  for (const id of IDS) {
    const { pathname } = new URL(`/api/devices/${deviceSegment(id)}/drift`, 'http://127.0.0.1/')
    const segment = pathname.split('/')[3] ?? ''
    assert.equal(pathname.split('/').length, 5, id)
    assert.equal(deviceOfSegment(decodeURIComponent(segment)), id)
  }
})

test('an ordinary id keeps its URL', () => {
  for (const id of IDS.filter((each) => !/^~*\.{1,2}$/.test(each)))
    assert.equal(deviceSegment(id), encodeURIComponent(id))
})
