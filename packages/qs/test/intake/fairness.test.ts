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
  const open = (client: string, owner = client) =>
    intake.open(
      { clientId: client, owner },
      {
        window: new AnswerWindow(() => {}),
        gate: { pause: () => {}, resume: () => resumed.push(client) },
      },
    )
  /** @returns whether it is taken */
  const send = (lane: Lane, bytes: number, read = Buffer.allocUnsafeSlow(bytes)): boolean => {
    const isAdmitted = intake.admit(lane, 1) === 'take'
    const payload = read.subarray(0, bytes)
    if (isAdmitted)
      intake.take(lane, { topic: `events/${lane.clientId}`, payload, qos: 1, packetId: 1, dup: false }, AT)
    return isAdmitted
  }
  /** Sends until a message has to wait. */
  const flood = (lane: Lane, bytes: number) => {
    while (send(lane, bytes));
  }
  return { intake, queue, resumed, open, send, flood }
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

test('the bytes of a read count as long as one of its messages is unsettled, and once', () => {
  const { intake, queue, open, send } = stage()
  const lane = open('gateway')
  const read = Buffer.allocUnsafeSlow(64 * KIB)
  for (let n = 0; n < 100; n++) send(lane, 2, read)
  const topics = 100 * 'events/gateway'.length
  assert.equal(intake.status.unsettledBytes, 64 * KIB + topics)
  for (const delivery of queue.splice(0, 99)) delivery.settle()
  assert.equal(intake.status.unsettledBytes, 64 * KIB + topics / 100)
  queue[0]?.settle()
  assert.equal(intake.status.unsettledBytes, 0)
  send(lane, 2, read)
  assert.equal(
    intake.status.unsettledBytes,
    64 * KIB + topics / 100,
    'a read whose first messages are settled',
  )
})

test('a small event behind a large packet does not keep it in memory', () => {
  const { intake, queue, open, send } = stage()
  for (let n = 0; n < 20; n++) send(open(`client-${n}`), 2, Buffer.allocUnsafeSlow(KIB * KIB))
  assert.deepEqual(
    queue.map(({ payload }) => payload.buffer.byteLength),
    queue.map(() => 2),
  )
  assert.ok(intake.status.unsettledBytes < KIB)
})

test('an owner that reconnects with ever new client ids has one share in all', () => {
  const { queue, intake, open, send } = stage()
  for (let n = 0; n < 3_000; n++) {
    const lane = open(`auto-${n}`, 'address')
    for (let sent = 0; sent < 10; sent++) send(lane, 100)
    intake.close(lane)
  }
  assert.equal(queue.length, 1_000)
  assert.ok(send(open('calm'), 100))
  for (const delivery of queue.splice(0)) delivery.settle()
  assert.ok(send(open('auto', 'address'), 100), 'nothing of it is left')
})

test('at twice the watermark nothing more is taken', () => {
  const { queue, open, flood } = stage()
  for (let n = 0; n < 2 * MESSAGES; n++) flood(open(`flood-${n}`), 100)
  assert.equal(queue.length, 2 * MESSAGES)
})

test('wills have no more room than the share of their owner', () => {
  const { queue, intake, open, send } = stage()
  const will = { topic: 'events/d', payload: Buffer.alloc(100) }
  for (let n = 0; n < 25_000; n++) intake.takeWill(will, { clientId: 'd', owner: 'd' }, AT)
  assert.equal(queue.length, 1_000)
  assert.equal(intake.status.willsDropped?.count, 24_000)
  assert.ok(send(open('calm'), 100))
})
