import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnswerWindow } from '../../src/intake/answer-window.ts'
import { DirectIntake, STALLED_MESSAGES } from '../../src/intake/direct-intake.ts'
import type { Lane } from '../../src/intake/lane.ts'
import type { Delivery } from '../../src/pipeline/delivery.ts'

const AT = { epochMs: 0, micros: 0 }
const WATERMARK = 100
const SMALL_SHARE = 10

/** Its pipeline commits when the test says so, and it looks for a stall when the test says so. */
async function openIntake() {
  const deliveries: Delivery[] = []
  let look = () => {}
  const intake = new DirectIntake({
    highWatermark: { messages: WATERMARK, bytes: 1e9 },
    clock: {
      every: (_, act) => {
        look = act
        return () => {}
      },
      monotonicMs: () => 0,
    },
    maxPayloadBytes: 1_000,
  })
  const replies = { publish: () => {}, isHeard: () => false }
  intake.attach({ onDelivery: (delivery) => deliveries.push(delivery), onFailure: assert.fail }, replies)
  await intake.start()
  const open = () => intake.open('device', new AnswerWindow(() => {}), { pause: () => {}, resume: () => {} })
  const send = (lane: Lane, count: number) => {
    for (let n = 0; n < count && !lane.isPaused; n++) {
      intake.take(lane, { topic: 't', payload: Buffer.from('x'), qos: 1, packetId: 1, dup: false }, AT)
    }
  }
  const commit = () => {
    for (const delivery of deliveries.splice(0)) delivery.settle()
  }
  return { intake, open, send, commit, stall: () => [look(), look()] }
}

test('while nothing is committed, devices are read far beyond the watermark: their PINGREQs are answered', async () => {
  const { intake, open, send, stall } = await openIntake()
  const lanes = Array.from({ length: 100 }, open)
  for (const lane of [...lanes, ...lanes]) send(lane, 2 * SMALL_SHARE)
  assert.ok(lanes.every(({ isPaused }) => isPaused))
  stall()
  for (let round = 0; round < 300; round++) {
    for (const lane of lanes) send(lane, 1)
    assert.ok(
      lanes.every(({ isPaused }) => !isPaused),
      `in round ${round}`,
    )
  }
  assert.ok(intake.status.unsettledMessages > 300 * WATERMARK)
})

test('a stall has a bound too, and ends with a commit', async () => {
  const { intake, open, send, commit, stall } = await openIntake()
  const lanes = Array.from({ length: 200 }, open)
  stall()
  for (const lane of lanes) send(lane, 1)
  stall()
  for (const lane of lanes) send(lane, 1_000)
  const { unsettledMessages } = intake.status
  assert.ok(unsettledMessages >= STALLED_MESSAGES)
  assert.ok(unsettledMessages <= STALLED_MESSAGES + lanes.length * SMALL_SHARE)
  commit()
  await Promise.resolve()
  assert.ok(lanes.every(({ isPaused }) => !isPaused))
  for (const lane of lanes) send(lane, 1_000)
  assert.ok(intake.status.unsettledMessages <= WATERMARK + lanes.length * SMALL_SHARE)
})
