import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { SystemClock } from '../../src/pipeline/clock.ts'
import { KeepAlive } from '../../src/source/keep-alive.ts'

const INTERVAL_MS = 4_000

/** A running keep-alive with the test's clock. A ping counts as sent data, as on a connection. */
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

test('a silent broker is pinged after one interval, not before', (t) => {
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

test('a broker that answers is never dead', (t) => {
  const { counts, pass } = start(t, { answers: true })
  pass(3_600_000)
  assert.equal(counts.deaths, 0)
  assert.ok(counts.pings >= 3_600_000 / INTERVAL_MS - 1)
})

test('while both sides send data there is no ping', (t) => {
  const { keepAlive, counts, pass } = start(t)
  for (let second = 0; second < 60; second++) {
    keepAlive.heard()
    keepAlive.said()
    pass(1_000)
  }
  assert.deepEqual(counts, { pings: 0, deaths: 0 })
})

test('a client that only receives still pings, so that the broker does not consider it dead', (t) => {
  const { keepAlive, counts, pass } = start(t)
  for (let second = 0; second < 60; second++) {
    keepAlive.heard()
    pass(1_000)
  }
  assert.equal(counts.pings, 15)
  assert.equal(counts.deaths, 0)
})

test('while reading is paused the broker is not declared dead, and pings continue', (t) => {
  const { keepAlive, counts, pass } = start(t)
  keepAlive.suspendVerdict()
  pass(600_000)
  assert.equal(counts.deaths, 0)
  assert.ok(counts.pings >= 600_000 / INTERVAL_MS - 1)
})

test('after reading resumes the silence counts from then', (t) => {
  const { keepAlive, counts, pass } = start(t)
  keepAlive.suspendVerdict()
  pass(600_000)
  keepAlive.resumeVerdict()
  pass(7_500)
  assert.equal(counts.deaths, 0)
  pass(2_500)
  assert.equal(counts.deaths, 1)
})

test('a process that slept for an hour sees one tick, which is not enough to declare the broker dead', (t) => {
  const tick = t.mock.method(globalThis, 'setInterval')
  let deaths = 0
  const keepAlive = new KeepAlive(new SystemClock(), INTERVAL_MS, { ping: () => {}, onDead: () => deaths++ })
  keepAlive.start()
  keepAlive.stop()
  const [callback] = tick.mock.calls[0]?.arguments ?? []
  assert.ok(typeof callback === 'function')
  // Half an interval of silence had passed when the hour began.
  callback()
  callback()
  assert.equal(deaths, 0)
  keepAlive.heard()
  callback()
  assert.equal(deaths, 0)
})

test('after stop there are no pings and no dead broker', (t) => {
  const { keepAlive, counts, pass } = start(t)
  keepAlive.stop()
  pass(60_000)
  assert.deepEqual(counts, { pings: 0, deaths: 0 })
})
