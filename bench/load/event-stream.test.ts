import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventStream, type EventStreamOptions } from './event-stream.ts'

const stream = (options: Partial<EventStreamOptions> = {}) =>
  new EventStream({ devices: 7, eventsPerMessage: 1, ids: 'ordered', boot: 7, resendEvery: 0, ...options })

interface Sent {
  readonly event_id: string
  readonly device_id: string
}

const eventsOf = (events: EventStream, message: number) =>
  [JSON.parse(events.payloadOf(message)) as Sent].flat()

for (const ids of ['ordered', 'random'] as const) {
  for (const eventsPerMessage of [1, 20]) {
    test(`${ids} ids in messages of ${eventsPerMessage} are unique, and each gives the number of its event`, () => {
      const events = stream({ ids, eventsPerMessage })
      const seen = new Set<string>()
      for (let message = 0; message < 2_000; message++) {
        for (const [place, { event_id }] of eventsOf(events, message).entries()) {
          assert.equal(events.eventOf(event_id), events.firstEventOf(message) + place)
          seen.add(event_id)
        }
      }
      assert.equal(seen.size, 2_000 * eventsPerMessage)
      assert.equal(events.differentEvents(2_000), seen.size)
    })
  }

  test(`a foreign id has no event in a stream with ${ids} ids`, () => {
    const events = stream({ ids })
    const own = events.idOf(12)
    for (const id of ['', 'x', own.slice(1), `${own}0`, own.replace(/.$/, 'z'), own.replace(/^./, 'z')]) {
      assert.equal(events.eventOf(id), null, id)
    }
  })
}

test('ordered ids of a device increase', () => {
  const events = stream({ eventsPerMessage: 3 })
  const first = Array.from({ length: 20 }, (_, round) => eventsOf(events, round * 7)).flat()
  assert.deepEqual(new Set(first.map(({ device_id }) => device_id)), new Set(['esp32-00000']))
  const ids = first.map(({ event_id }) => event_id)
  assert.deepEqual(ids, ids.toSorted())
})

for (const ids of ['ordered', 'random'] as const) {
  test(`streams of ${ids} ids with different boot counters share no id`, () => {
    const [one, other] = [stream({ ids, boot: 7 }), stream({ ids, boot: 8 })]
    for (let event = 0; event < 1_000; event++) assert.equal(other.eventOf(one.idOf(event)), null)
  })
}

test('random ids are unordered and look like UUIDs', () => {
  const events = stream({ ids: 'random' })
  const ids = Array.from({ length: 1_000 }, (_, event) => events.idOf(event))
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8007-[0-9a-f]{12}$/)
  const up = ids.filter((id, place) => place > 0 && id > (ids[place - 1] as string)).length
  assert.ok(up > 400 && up < 600, `${up} of 999 went up`)
})

test('a topic names the device of its events, also in a repeat', () => {
  const events = stream({ resendEvery: 10, eventsPerMessage: 2 })
  for (let message = 0; message < 200; message++) {
    for (const { device_id } of eventsOf(events, message)) {
      assert.equal(events.topicOf(message), `qs/v1/${device_id}/events`)
    }
  }
})

test('every nth message repeats an earlier one byte for byte, and no other does', () => {
  const events = stream({ resendEvery: 10 })
  const earlier = new Set<string>()
  let resent = 0
  for (let message = 0; message < 12_000; message++) {
    const payload = events.payloadOf(message)
    assert.equal(earlier.has(payload), events.isResent(message), `message ${message}`)
    if (events.isResent(message)) resent++
    earlier.add(payload)
  }
  assert.equal(resent, 1_200)
  assert.equal(events.differentEvents(12_000), earlier.size)
})
