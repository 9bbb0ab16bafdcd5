import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instantFromMs } from '@qs-telemetry/protocol'
import { AnswerWindow } from '../../src/intake/answer-window.ts'
import { DirectIntake } from '../../src/intake/direct-intake.ts'
import type { Lane } from '../../src/intake/lane.ts'
import type { Delivery } from '../../src/pipeline/delivery.ts'

const AT = instantFromMs(0)
const MESSAGES = 5_000
const KIB = 1024

/** An intake whose pipeline keeps everything, in the order in which it would be stored. */
function stage() {
  const queue: Delivery[] = []
  const intake = new DirectIntake({
    highWatermark: { messages: MESSAGES, bytes: 16 * KIB * KIB },
    clock: { every: () => () => {}, monotonicMs: () => 0 },
    maxPayloadBytes: 1_000_000,
  })
  const onDelivery = (delivery: Delivery) => queue.push(delivery)
  const onFailure = (error: Error) => assert.fail(error)
  intake.attach({ onDelivery, onFailure }, { publish: () => {}, isHeard: () => false })
  const open = (client: string) =>
    intake.open(client, new AnswerWindow(() => {}), { pause: () => {}, resume: () => {} })
  const send = (lane: Lane, bytes: number) =>
    intake.take(
      lane,
      { topic: `events/${lane.client}`, payload: Buffer.alloc(bytes), qos: 1, packetId: 1, dup: false },
      AT,
    )
  /** Sends until it is not read any more. */
  const flood = (lane: Lane, bytes: number) => {
    while (!lane.isPaused) send(lane, bytes)
  }
  return { queue, open, send, flood }
}

test('another device waits for at most one share of a connection that floods', () => {
  for (const bytes of [1, 1_000, 100_000]) {
    const { queue, open, send, flood } = stage()
    flood(open('flood'), bytes)
    send(open('calm'), 100)
    const before = queue.findIndex(({ topic }) => topic === 'events/calm')
    assert.ok(before >= 0 && before <= 1_001, `${before} messages of ${bytes} bytes`)
    assert.ok(before * bytes <= 256 * KIB + bytes, `${before} messages of ${bytes} bytes`)
  }
})

test('while others flood up to the watermark, a device that sends now and then is still taken', () => {
  const { queue, open, send, flood } = stage()
  for (let n = 0; queue.length < MESSAGES; n++) flood(open(`flood-${n}`), 100)
  const late = open('late flood')
  flood(late, 100)
  assert.equal(late.unsettledMessages, 10)
  const calm = open('calm')
  for (let n = 0; n < 9; n++) {
    assert.ok(send(calm, 100))
    assert.ok(!calm.isPaused)
  }
})
