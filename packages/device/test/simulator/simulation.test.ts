import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { simulate } from '../../src/index.ts'
import { type FakeIngester, startFakeIngester } from '../support/fake-ingester.ts'
import { type Mosquitto, skipWithoutMosquitto, startMosquitto } from '../support/mosquitto.ts'

describe('simulate', { skip: skipWithoutMosquitto(), timeout: 60_000 }, () => {
  let broker: Mosquitto
  let ingester: FakeIngester

  before(async () => {
    broker = await startMosquitto()
    ingester = await startFakeIngester(broker.url)
  })
  after(async () => {
    await ingester.stop()
    await broker.stop()
  })

  it('runs a thousand devices on one connection and gets the device ack of every event', async () => {
    const startMs = Date.now() - 86_400_000
    const run = () =>
      simulate({
        broker: { url: broker.url },
        devices: 1_000,
        intervalMs: 60_000,
        durationMs: 300_000,
        speed: Number.POSITIVE_INFINITY,
        startMs,
        maxWaitingEvents: 2_000,
        devicePrefix: 'many-',
      }).done
    const counts = await run()
    assert.deepEqual([counts.waiting, counts.rejected, counts.duplicate], [0, 0, 0])
    assert.ok(counts.stored > 5_000)
    assert.equal(counts.stored, ingester.stored.size)
    assert.equal(new Set([...ingester.stored.values()].map((json) => JSON.parse(json).device_id)).size, 1_000)

    const again = await run()
    assert.deepEqual(
      [again.stored, again.duplicate],
      [0, counts.stored],
      'the same seed gives the same events',
    )
  })

  it('sends the backlog of an offline phase in arrays, with the times of the device', async () => {
    const from = ingester.sizes.length
    const counts = await simulate({
      broker: { url: broker.url },
      devices: 5,
      intervalMs: 10_000,
      durationMs: 7_200_000,
      speed: Number.POSITIVE_INFINITY,
      startMs: Date.now() - 86_400_000,
      faults: { offline: 1, epoch1970: 0, drifting: 0 },
      devicePrefix: 'flaky-',
    }).done
    assert.equal(counts.waiting, 0)
    assert.ok(Math.max(...ingester.sizes.slice(from)) === 100)
  })

  it('counts broken messages as rejected, and stops after the given number of events', async () => {
    const warned: string[] = []
    const counts = await simulate({
      broker: { url: broker.url },
      devices: 3,
      events: 200,
      speed: Number.POSITIVE_INFINITY,
      startMs: Date.now() - 86_400_000,
      faults: { broken: 0.3 },
      devicePrefix: 'bad-',
      onWarning: ({ kind }) => warned.push(kind),
    }).done
    assert.equal(counts.stored, 200)
    assert.ok(counts.rejected > 5)
    assert.equal(counts.sent, 200 + counts.rejected)
    assert.deepEqual(warned, Array(counts.rejected).fill('rejected'))
  })

  it('ends on stop, with no event waiting', async () => {
    const simulation = simulate({
      broker: { url: broker.url },
      devices: 3,
      intervalMs: 20,
      devicePrefix: 'live-',
    })
    const running = await Promise.race([simulation.done, untilStored(simulation)])
    assert.equal(running, 'running')
    const counts = await simulation.stop()
    assert.equal(counts.waiting, 0)
    assert.ok(counts.stored > 0)
  })

  it('fails when there is no broker', async () => {
    const { done } = simulate({ broker: { url: 'mqtt://127.0.0.1:1' }, connectTimeoutMs: 50 })
    await assert.rejects(done, { code: 'CONNECTION' })
  })
})

async function untilStored(simulation: { counts(): { readonly stored: number } }): Promise<'running'> {
  while (simulation.counts().stored === 0) await new Promise((resolve) => setImmediate(resolve))
  return 'running'
}
