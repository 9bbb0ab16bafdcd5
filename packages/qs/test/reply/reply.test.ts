import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ackTopics } from '@qs-telemetry/protocol'
import type { BatchResult, Element, Message, Outcome } from '../../src/pipeline/message.ts'
import { rejection } from '../../src/pipeline/rejection.ts'
import { type ReplyOptions, reply } from '../../src/reply/reply.ts'
import { eventOf, messageOf } from './replying.ts'

const STORED: Outcome = { kind: 'stored', tsServer: '2026-11-23T18:00:00.123456Z' }
const REFUSED = rejection('INVALID_VALUE', '', { eventId: 'b' })

interface Published {
  readonly topic: string
  readonly payload: string
  readonly qos: 0 | 1
}

/** Replies, and returns what happened, in order: published topics and names of settled messages. */
function replied(
  batch: (record: (name: string) => () => void) => readonly Message[],
  result: BatchResult,
  options: Partial<ReplyOptions> & {
    readonly maxPayloadBytes?: number
    readonly isHeard?: (topic: string) => boolean
  } = {},
) {
  const happened: string[] = []
  const published: Published[] = []
  const publisher = {
    maxPayloadBytes: options.maxPayloadBytes ?? 1_000_000,
    isHeard: options.isHeard ?? (() => true),
    publish: (topic: string, payload: string, qos: 0 | 1) => {
      happened.push(topic)
      published.push({ topic, payload, qos })
    },
  }
  reply(
    batch((name) => () => happened.push(name)),
    result,
    {
      publisher,
      ackTopicOf: ackTopics('qs/v1/{device_id}/acks'),
      ackQos: 0,
      deadLetterTopic: 'qs/v1/deadletter',
      onFault: (error) => {
        throw error
      },
      ...options,
    },
  )
  return { happened, published }
}

test('each message is answered on the topic of its device, then settled, in the order of the batch', () => {
  const { happened } = replied(
    (settled) => [
      messageOf([eventOf('a')], { deviceId: 'd1', settle: settled('first') }),
      messageOf([eventOf('b')], { deviceId: 'd2', settle: settled('second') }),
    ],
    [[STORED], [STORED]],
  )
  assert.deepEqual(happened, ['qs/v1/d1/acks', 'first', 'qs/v1/d2/acks', 'second'])
})

test('dead letters are published before the message is settled, with QoS 1', () => {
  const { happened, published } = replied(
    (settled) => [
      messageOf([eventOf('a'), REFUSED, REFUSED], { payload: '[1,2,3]', settle: settled('settled') }),
    ],
    [[STORED, REFUSED, REFUSED]],
  )
  assert.deepEqual(happened, ['qs/v1/dev-1/acks', 'qs/v1/deadletter', 'qs/v1/deadletter', 'settled'])
  assert.deepEqual(
    published.map(({ qos }) => qos),
    [0, 1, 1],
  )
  assert.deepEqual(
    published.slice(1).map(({ payload }) => (JSON.parse(payload) as { payload: string }).payload),
    ['2', '3'],
  )
})

test('device acks have the QoS from the settings', () => {
  const { published } = replied(() => [messageOf([eventOf('a')])], [[STORED]], { ackQos: 1 })
  assert.deepEqual(
    published.map(({ qos }) => qos),
    [1],
  )
})

test('a message without a device is a dead letter, not acked, and settled', () => {
  const refused = rejection('TOPIC_MISMATCH', '')
  const { happened } = replied(
    (settled) => [messageOf([refused], { shape: 'one', deviceId: null, settle: settled('settled') })],
    [[refused]],
  )
  assert.deepEqual(happened, ['qs/v1/deadletter', 'settled'])
})

test('nothing too large for the broker is published: it would close the connection and redeliver the message', () => {
  const elements: readonly Element[] = Array.from({ length: 1000 }, () => REFUSED)
  const { published } = replied(
    () => [messageOf(elements, { payload: `[${'{},'.repeat(999)}{}]` })],
    [elements.map(() => REFUSED)],
    { maxPayloadBytes: 64 * 1024 },
  )
  const largest = Math.max(...published.map(({ payload }) => Buffer.byteLength(payload)))
  assert.ok(largest <= 64 * 1024, `${largest} bytes to a broker that takes 65536`)
})
