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
  const resumed: string[] = []
  const intake = new DirectIntake({
    highWatermark: { messages: MESSAGES, bytes: 16 * KIB * KIB },
    clock: { every: () => () => {}, monotonicMs: () => 0 },
    maxPayloadBytes: 1_000_000,
  })
  const onDelivery = (delivery: Delivery) => queue.push(delivery)
  const onFailure = (error: Error) => assert.fail(error)
  intake.attach({ onDelivery, onFailure }, { publish: () => {}, isHeard: () => false })
  const open = (client: string) =>
    intake.open(client, {
      window: new AnswerWindow(() => {}),
      gate: { pause: () => {}, resume: () => resumed.push(client) },
    })
  /** @returns whether it is taken */
  const send = (lane: Lane, bytes: number): boolean => {
    const isAdmitted = intake.admit(lane, 1) === 'take'
    const payload = Buffer.alloc(bytes)
    if (isAdmitted)
      intake.take(lane, { topic: `events/${lane.clientId}`, payload, qos: 1, packetId: 1, dup: false }, AT)
    return isAdmitted
  }
  /** Sends until a message has to wait. */
  const flood = (lane: Lane, bytes: number) => {
    while (send(lane, bytes));
  }
  return { queue, resumed, open, send, flood }
}

test('another device waits for at most one share of a connection that floods', () => {
  for (const bytes of [1, 1_000, 100_000]) {
    const { queue, open, send, flood } = stage()
    flood(open('flood'), bytes)
    send(open('calm'), 100)
    const before = queue.findIndex(({ topic }) => topic === 'events/calm')
    assert.ok(before >= 0 && before <= 1_000, `${before} messages of ${bytes} bytes`)
    assert.ok(before * bytes <= 256 * KIB + bytes, `${before} messages of ${bytes} bytes`)
  }
})

test('while others flood up to the watermark, a device that sends now and then is still taken', () => {
  const { queue, open, send, flood } = stage()
  for (let n = 0; queue.length < MESSAGES; n++) flood(open(`flood-${n}`), 100)
  const late = open('late flood')
  flood(late, 100)
  assert.equal(late.load.messages, 10)
  const calm = open('calm')
  for (let n = 0; n < 10; n++) assert.ok(send(calm, 100))
})

test('paused connections are read again once a tenth is settled, so the writers never wait for messages', async () => {
  const { queue, resumed, open, flood } = stage()
  for (let n = 0; queue.length < MESSAGES; n++) flood(open(`flood-${n}`), 100)
  flood(open('late'), 100)
  const settle = async (messages: number) => {
    for (const delivery of queue.splice(0, messages)) delivery.settle(null)
    await null
  }
  await settle(MESSAGES / 20)
  assert.deepEqual(resumed, [])
  await settle(MESSAGES / 10)
  assert.ok(resumed.length > 0)
})
