import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from '@qs-telemetry/testing/decoding.ts'
import { lettersOf } from '../../packages/qs/src/pipeline/letter.ts'
import type { Message, Outcome } from '../../packages/qs/src/pipeline/message.ts'
import { deadLetterJson } from '../../packages/qs/src/reply/dead-letter.ts'
import { deviceAckPayloads } from '../../packages/qs/src/reply/device-ack.ts'
import { fuzzPayload } from './payloads.ts'
import { FUZZ_PAYLOADS, FUZZ_SEED, FUZZ_TIMEOUT_MS } from './sizes.ts'

const TARGET = { deviceId: 'dev-1', prefix: 'e' }
/** A broker with a small packet limit; anything larger is cut or split. */
const MAX_BYTES = 4_096
/** One payload takes a hundredth of this; only a hang takes all of it. */
const MAX_PAYLOAD_MS = 2_000

function check(seed: number): 'event' | 'rejection' {
  const { payload, goodIds } = fuzzPayload(seed, TARGET)
  const message = decode(payload)
  assert.ok(message.elements.length > 0)
  const accepted = message.elements.filter(({ kind }) => kind === 'event')
  const ids = new Set(accepted.map(({ eventId }) => eventId))
  for (const id of goodIds) assert.ok(ids.has(id), `the good event ${id} was refused`)
  checkAnswers(message)
  return accepted.length > 0 ? 'event' : 'rejection'
}

/** The device ack and the dead letters can be written, within the broker's packet limit. */
function checkAnswers(message: Message): void {
  const outcomes = message.elements.map(
    (element): Outcome =>
      element.kind === 'event' ? { kind: 'stored', tsServer: message.tsServer } : element,
  )
  const acks = deviceAckPayloads(message, outcomes, {
    topic: 'qs/v1/dev-1/acks',
    maxBytes: MAX_BYTES,
  }).flatMap((json) => JSON.parse(json) as unknown)
  assert.equal(acks.length, message.elements.length)
  const letters = lettersOf(message, outcomes)
  assert.equal(letters.length, outcomes.filter(({ kind }) => kind === 'rejection').length)
  for (const letter of letters) {
    const json = deadLetterJson(letter, MAX_BYTES)
    assert.ok(Buffer.byteLength(json) <= MAX_BYTES, `a dead letter of ${Buffer.byteLength(json)} bytes`)
    assert.doesNotThrow(() => JSON.parse(json))
  }
}

test(`${FUZZ_PAYLOADS} generated payloads each end as events or rejections, in bounded time`, {
  timeout: FUZZ_TIMEOUT_MS,
}, (t) => {
  const counts = { event: 0, rejection: 0 }
  let slowestMs = 0
  const startMs = performance.now()
  for (let seed = FUZZ_SEED; seed < FUZZ_SEED + FUZZ_PAYLOADS; seed++) {
    const beganMs = performance.now()
    try {
      counts[check(seed)]++
    } catch (error) {
      throw new Error(`Again: FUZZ_SEED=${seed} FUZZ_PAYLOADS=1 npm test -- fuzz/decode`, { cause: error })
    }
    slowestMs = Math.max(slowestMs, performance.now() - beganMs)
  }
  const perSecond = (FUZZ_PAYLOADS / (performance.now() - startMs)) * 1000
  t.diagnostic(
    `${Math.round(perSecond)} a second, the slowest ${slowestMs.toFixed(1)} ms; with an event: ${counts.event}, refused: ${counts.rejection}`,
  )
  assert.ok(slowestMs < MAX_PAYLOAD_MS, `one payload took ${slowestMs} ms`)
  assert.ok(counts.event > FUZZ_PAYLOADS / 10 && counts.rejection > FUZZ_PAYLOADS / 10, 'both kinds occur')
})

test('the same seed gives the same payload', () => {
  for (let seed = 1; seed < 500; seed++) {
    assert.deepEqual(fuzzPayload(seed, TARGET), fuzzPayload(seed, TARGET))
  }
})
