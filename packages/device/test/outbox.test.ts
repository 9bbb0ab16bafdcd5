import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DeviceAck } from '@qs-telemetry/protocol'
import fc from 'fast-check'
import { bytesOf } from '../src/out-message.ts'
import { Outbox } from '../src/outbox.ts'

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('add' as const), bytes: fc.integer({ min: 2, max: 60 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('deliver' as const), lost: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('connectionLost' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('timePasses' as const) }) },
)

describe('Outbox', () => {
  it('forgets no event that the ingester has not judged, whatever is lost on the way', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200, size: 'max' }),
        fc.integer({ min: 1, max: 8 }),
        (steps, batchEvents) => {
          const maxInFlightMessages = 3
          const outbox = new Outbox({
            batchEvents,
            messageBytes: 300,
            maxInFlightMessages,
            resendAfterMs: 10,
          })
          /** Delivered in the order of publishing, as in MQTT per topic. */
          const wire: { ids: string[]; bytes: number }[] = []
          const judged = new Set<string>()
          let added = 0
          let settled = 0
          let nowMs = 0

          const publish = () => {
            for (let message = outbox.next(nowMs); message !== null; message = outbox.next(nowMs)) {
              assert.ok(message.content.kind === 'events')
              const { events } = message.content
              assert.ok(events.length >= 1 && events.length <= batchEvents)
              wire.push({ ids: events.map((e) => e.eventId), bytes: bytesOf(message) })
            }
          }
          const timePasses = () => {
            nowMs += 100
            outbox.due(nowMs)
          }
          const deliver = (ackIsLost: boolean) => {
            const message = wire.shift()
            if (message === undefined) return
            // An ingester with a lower limit refuses the message as a whole.
            const tooLarge = message.bytes > 50
            const acks: DeviceAck[] = tooLarge
              ? [{ event_id: null, status: 'rejected', error: { code: 'MESSAGE_TOO_LARGE', message: '' } }]
              : message.ids.map((id) => ({ event_id: id, status: 'stored' }))
            if (!tooLarge || message.ids.length === 1) for (const id of message.ids) judged.add(id)
            if (ackIsLost) return
            for (const [event] of outbox.settle(acks).events) {
              assert.ok(judged.has(event.eventId) || event.bytes > 50, `${event.eventId} was forgotten`)
              settled++
            }
          }

          for (const each of steps) {
            if (each.kind === 'add') {
              const eventId = `e${added++}`
              outbox.add({
                eventId,
                ageMs: null,
                sinceMs: 0,
                json: '{}',
                bytes: each.bytes,
                settle: () => {},
                abandon: () => {},
              })
            } else if (each.kind === 'publish') publish()
            else if (each.kind === 'deliver') deliver(each.lost)
            else if (each.kind === 'connectionLost') outbox.connectionLost()
            else timePasses()
            assert.equal(outbox.waiting, added - settled)
          }
          // Over a working connection every event is settled.
          for (let round = 0; outbox.waiting > 0; round++) {
            assert.ok(round < 2_000, `${outbox.waiting} events never end`)
            timePasses()
            publish()
            while (wire.length > 0) deliver(false)
          }
          assert.equal(settled, added)
          assert.equal(outbox.waitingBytes, 0)
        },
      ),
    )
  })

  it('keeps no more messages in flight than its window', () => {
    const outbox = new Outbox({
      batchEvents: 1,
      messageBytes: 300,
      maxInFlightMessages: 4,
      resendAfterMs: 10,
    })
    for (let at = 0; at < 10; at++)
      outbox.add({
        eventId: `${at}`,
        ageMs: null,
        sinceMs: 0,
        json: '{}',
        bytes: 2,
        settle: () => {},
        abandon: () => {},
      })
    let published = 0
    while (outbox.next(0) !== null) published++
    assert.equal(published, 4)
  })

  const options = { batchEvents: 10, messageBytes: 3_000, maxInFlightMessages: 4, resendAfterMs: 10 }
  const EVENT = { ageMs: null, sinceMs: 0, json: '{}', bytes: 2, settle: () => {}, abandon: () => {} }
  const outboxWith = (...ids: readonly string[]) => {
    const outbox = new Outbox(options)
    for (const eventId of ids) outbox.add({ ...EVENT, eventId })
    return outbox
  }
  const ack = (event_id: string | null, status: DeviceAck['status'], code?: string): DeviceAck => ({
    event_id,
    status,
    ...(code !== undefined && { error: { code, message: '' } }),
  })
  const idsOf = (message: ReturnType<Outbox['next']>) =>
    message?.content.kind === 'events' ? message.content.events.map(({ eventId }) => eventId) : null

  it('waits for a device ack 1, 2, 4 and then 8 times as long', () => {
    const outbox = outboxWith('a')
    let nowMs = 1_000
    for (const times of [1, 2, 4, 8, 8, 8]) {
      assert.equal(outbox.next(nowMs)?.dueAtMs, nowMs + times * options.resendAfterMs)
      assert.equal(outbox.nextDueMs(), nowMs + times * options.resendAfterMs)
      assert.equal(outbox.due(nowMs + times * options.resendAfterMs - 1), 0)
      assert.equal(outbox.next(nowMs), null)
      nowMs += times * options.resendAfterMs
      assert.equal(outbox.due(nowMs), 1)
    }
  })

  it('keeps an event that was never published, whatever device ack has its id', () => {
    const outbox = outboxWith('a')
    for (const status of ['stored', 'duplicate', 'rejected'] as const) {
      assert.deepEqual(outbox.settle([ack('a', status)]).events, [])
      assert.equal(outbox.waiting, 1)
    }
    assert.deepEqual(idsOf(outbox.next(0)), ['a'])
    assert.equal(outbox.settle([ack('a', 'stored')]).events.length, 1)
    assert.equal(outbox.waiting, 0)
  })

  it('resends an array that is refused for its size in halves, also if the device acks name its events', () => {
    for (const code of ['TOO_MANY_EVENTS', 'MESSAGE_TOO_LARGE']) {
      const outbox = outboxWith('a', 'b', 'c', 'd')
      assert.deepEqual(idsOf(outbox.next(0)), ['a', 'b', 'c', 'd'])
      const refusal = ['a', 'b', 'c'].map((id) => ack(id, 'rejected', code))
      assert.deepEqual(outbox.settle(refusal).events, [])
      // A second copy of the refusal is not for the halves, which are not published yet.
      assert.deepEqual(outbox.settle(refusal).events, [])
      assert.equal(outbox.waiting, 4)
      assert.deepEqual(
        [idsOf(outbox.next(0)), idsOf(outbox.next(0))],
        [
          ['a', 'b'],
          ['c', 'd'],
        ],
      )
    }
  })

  it('sends an array that got no answer three times in halves, and larger ones again after many answers', () => {
    const outbox = outboxWith('a', 'b', 'c', 'd')
    for (const lost of ['connection', 'ack', 'ack']) {
      assert.deepEqual(idsOf(outbox.next(0)), ['a', 'b', 'c', 'd'])
      if (lost === 'connection') outbox.connectionLost()
      else outbox.due(1_000)
    }
    assert.deepEqual(
      [idsOf(outbox.next(0)), idsOf(outbox.next(0)), outbox.next(0)],
      [['a', 'b'], ['c', 'd'], null],
    )
    const add = (eventId: string) => outbox.add({ ...EVENT, eventId })
    const sizes: number[] = []
    for (let answer = 0; answer < 256; answer++) {
      for (const id of 'efgh') add(`${id}${answer}`)
      for (let message = outbox.next(0); message !== null; message = outbox.next(0)) {
        const ids = idsOf(message) ?? []
        sizes.push(ids.length)
        outbox.settle(ids.map((id) => ack(id, 'stored')))
      }
    }
    assert.deepEqual([sizes[0], Math.max(...sizes)], [2, 4])
  })

  it('gives up an event that is too large by itself', () => {
    const outbox = outboxWith('a')
    outbox.next(0)
    assert.equal(outbox.settle([ack('a', 'rejected', 'MESSAGE_TOO_LARGE')]).events.length, 1)
    assert.equal(outbox.waiting, 0)
  })

  it('settles raw bytes that are refused as a whole with only some of their ids', () => {
    const outbox = new Outbox(options)
    const raw = { payload: Buffer.from('x'), eventIds: ['a', 'b', null], settle: () => {}, abandon: () => {} }
    outbox.addRaw(raw)
    outbox.next(0)
    assert.equal(outbox.settle([]).raw, null)
    const named = [ack('a', 'rejected', 'TOO_MANY_EVENTS')]
    assert.deepEqual(outbox.settle(named).raw, [raw, named])
    assert.equal(outbox.waiting, 0)
  })
})
