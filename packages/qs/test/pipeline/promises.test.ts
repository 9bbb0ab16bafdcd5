import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SystemClock } from '../../src/pipeline/clock.ts'
import { delay } from '../../src/pipeline/promises.ts'

const FOR_EVER_MS = 2 ** 31 - 1

test('a delay ends after its time', async () => {
  const clock = new SystemClock()
  const startMs = clock.monotonicMs()
  await delay(clock, 5, new AbortController().signal)
  assert.ok(clock.monotonicMs() - startMs >= 4)
})

test('an abort ends a delay at once, with its reason, and leaves no timer behind', async () => {
  const stopping = new AbortController()
  let calledOff = 0
  const real = new SystemClock()
  const clock = {
    now: () => real.now(),
    monotonicMs: () => real.monotonicMs(),
    every: real.every,
    after: (ms: number, act: () => void) => {
      const callOff = real.after(ms, act)
      return () => {
        calledOff++
        callOff()
      }
    },
  }
  const waiting = delay(clock, FOR_EVER_MS, stopping.signal)
  stopping.abort(new Error('enough'))
  await assert.rejects(waiting, { message: 'enough' })
  assert.equal(calledOff, 1)
})

test('a delay on an aborted signal rejects at once', async () => {
  await assert.rejects(delay(new SystemClock(), FOR_EVER_MS, AbortSignal.abort(new Error('over'))), {
    message: 'over',
  })
})
