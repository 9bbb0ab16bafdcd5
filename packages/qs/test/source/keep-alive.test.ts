import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { SystemClock } from '../../src/pipeline/system-clock.ts'
import { KeepAlive } from '../../src/source/keep-alive.ts'

const INTERVAL_MS = 4_000

/** A running keep-alive under a clock of the test. A ping counts as said, as on a connection. */
function start(t: TestContext, { answers = false } = {}) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const counts = { pings: 0, deaths: 0 }
  const keepAlive = new KeepAlive(new SystemClock(), INTERVAL_MS, {
    ping: () => {
      counts.pings++
      keepAlive.said()
      if (answers) keepAlive.heard()
    },
    onDead: (silentMs) => {
      counts.deaths++
      assert.equal(silentMs, 8_000)
      keepAlive.stop()
    },
  })
  keepAlive.start()
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) t.mock.timers.tick(500)
  }
  return { keepAlive, counts, pass }
}

test('a silent broker is asked for a sign of life after one interval, not before', (t) => {
  const { counts, pass } = start(t)
  pass(3_500)
  assert.equal(counts.pings, 0)
  pass(500)
  assert.equal(counts.pings, 1)
})

test('a broker that stays silent is dead after two intervals, at most half of one later', (t) => {
  const { counts, pass } = start(t)
  pass(7_500)
  assert.equal(counts.deaths, 0)
  pass(2_500)
  assert.equal(counts.deaths, 1)
})

test('a broker that answers lives for ever', (t) => {
  const { counts, pass } = start(t, { answers: true })
  pass(3_600_000)
  assert.equal(counts.deaths, 0)
  assert.ok(counts.pings >= 3_600_000 / INTERVAL_MS - 1)
})

test('where both sides talk there is nothing to ask', (t) => {
  const { keepAlive, counts, pass } = start(t)
  for (let second = 0; second < 60; second++) {
    keepAlive.heard()
    keepAlive.said()
    pass(1_000)
  }
  assert.deepEqual(counts, { pings: 0, deaths: 0 })
})

test('who only listens pings, so that the broker does not take us for dead', (t) => {
  const { keepAlive, counts, pass } = start(t)
  for (let second = 0; second < 60; second++) {
    keepAlive.heard()
    pass(1_000)
  }
  assert.equal(counts.pings, 15)
  assert.equal(counts.deaths, 0)
})

test('while reading is paused there is no verdict, and pings go on', (t) => {
  const { keepAlive, counts, pass } = start(t)
  keepAlive.suspendVerdict()
  pass(600_000)
  assert.equal(counts.deaths, 0)
  assert.ok(counts.pings >= 600_000 / INTERVAL_MS - 1)
})

test('when reading goes on the silence counts from there', (t) => {
  const { keepAlive, counts, pass } = start(t)
  keepAlive.suspendVerdict()
  pass(600_000)
  keepAlive.resumeVerdict()
  pass(7_500)
  assert.equal(counts.deaths, 0)
  pass(2_500)
  assert.equal(counts.deaths, 1)
})

test('a process that slept for an hour finds one tick, and one tick is no verdict', (t) => {
  const tick = t.mock.method(globalThis, 'setInterval')
  let deaths = 0
  const keepAlive = new KeepAlive(new SystemClock(), INTERVAL_MS, { ping: () => {}, onDead: () => deaths++ })
  keepAlive.start()
  keepAlive.stop()
  const [callback] = tick.mock.calls[0]?.arguments ?? []
  assert.ok(typeof callback === 'function')
  // Half an interval was silent when the hour began.
  callback()
  callback()
  assert.equal(deaths, 0)
  keepAlive.heard()
  callback()
  assert.equal(deaths, 0)
})

test('after stop nothing is asked and nobody is dead', (t) => {
  const { keepAlive, counts, pass } = start(t)
  keepAlive.stop()
  pass(60_000)
  assert.deepEqual(counts, { pings: 0, deaths: 0 })
})
