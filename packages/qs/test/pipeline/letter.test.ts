import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lettersOf } from '../../src/pipeline/letter.ts'
import { Message, type Outcome } from '../../src/pipeline/message.ts'
import { rejection } from '../../src/pipeline/rejection.ts'

const REFUSED = rejection('INVALID_VALUE', 'value is an array', { eventId: 'b' })
const STORED: Outcome = { kind: 'stored', tsServer: '2026-11-23T18:00:00.000000Z' }

const messageOf = (payload: string, shape: Message['shape']): Message =>
  new Message(
    {
      delivery: {
        topic: 'qs/v1/dev-1/events',
        payload: Buffer.from(payload),
        redelivered: true,
        receivedAt: { epochMs: 0, micros: 0 },
        settle: () => {},
      },
      deviceId: 'dev-1',
      shape,
      elements: [],
      tsServer: '2026-11-23T18:00:00.123456Z',
    },
    () => [],
  )

test('a rejected message becomes a dead letter with all its bytes', () => {
  const [letter, ...others] = lettersOf(messageOf('{"value":[]}', 'one'), [REFUSED])
  assert.deepEqual(others, [])
  assert.deepEqual(letter, {
    rejection: REFUSED,
    topic: 'qs/v1/dev-1/events',
    deviceId: 'dev-1',
    receivedAt: '2026-11-23T18:00:00.123456Z',
    payload: Buffer.from('{"value":[]}'),
    index: 0,
    redelivered: true,
  })
})

test('a rejected element becomes a dead letter with its own bytes and index', () => {
  const letters = lettersOf(messageOf('[ {"a":1.50} , 2 , {"c":"\\u0000"} ]', 'array'), [
    REFUSED,
    STORED,
    REFUSED,
  ])
  assert.deepEqual(
    letters.map(({ payload, index }) => [payload.toString(), index]),
    [
      ['{"a":1.50}', 0],
      ['{"c":"\\u0000"}', 2],
    ],
  )
})

test('a message without rejections has no dead letters', () => {
  assert.deepEqual(lettersOf(messageOf('[1,2]', 'array'), [STORED, undefined]), [])
})

test('bytes that are not JSON are kept too', () => {
  assert.deepEqual(lettersOf(messageOf('[{', 'one'), [REFUSED])[0]?.payload, Buffer.from('[{'))
})
