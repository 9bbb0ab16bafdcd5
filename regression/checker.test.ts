import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Checker, contentOf } from './checker.ts'

const content = (valueNum: number) =>
  contentOf({
    deviceId: 'd',
    eventType: 't',
    valueNum,
    valueText: null,
    unit: null,
    tsDevice: null,
    meta: { b: 1, a: [null] },
  })

/** A world in which one event was sent. */
function start(fate: 'stored' | 'rejected' | 'either' = 'stored') {
  const checker = new Checker()
  checker.sent({ deviceId: 'd', payload: 'p', event: { id: 'e', content: content(1) }, fate })
  return checker
}

const ACK = { deviceId: 'd', eventId: 'e', status: 'stored' } as const
const LETTER = { deviceId: 'd', eventId: 'e', code: 'EVENT_ID_CONFLICT', payload: 'p' }

test('a faultless run breaks no promise', () => {
  const checker = start()
  checker.delivered('c', { packetId: 1, deviceId: 'd', payloads: ['p'] })
  checker.stored('e', content(1))
  checker.accounted({ received: 1, stored: 1, duplicate: 0, rejected: 0 })
  checker.acked(ACK)
  checker.pubacked('c', 1)
  checker.quiet()
  assert.deepEqual(checker.violations, [])
  assert.deepEqual(checker.tally, { sent: 1, sends: 1, acked: 1, stored: 1, deadLetters: 0 })
})

const BROKEN: Readonly<Record<string, readonly [RegExp, (checker: Checker) => void]>> = {
  'an ack before its row': [/told that e is stored/, (checker) => checker.acked(ACK)],
  'an ack of a rejection before its letter': [
    /told that e is rejected/,
    (checker) => checker.acked({ ...ACK, status: 'rejected' }),
  ],
  'a PUBACK before the row': [
    /PUBACK 1 came/,
    (checker) => {
      checker.delivered('c', { packetId: 1, deviceId: 'd', payloads: ['p'] })
      checker.pubacked('c', 1)
    },
  ],
  'a PUBACK on another connection': [
    /nothing is next/,
    (checker) => {
      checker.stored('e', content(1))
      checker.delivered('c', { packetId: 1, deviceId: 'd', payloads: ['p'] })
      checker.pubacked('other', 1)
    },
  ],
  'a PUBACK out of order': [
    /PUBACK 2 on connection c, where 1 is next/,
    (checker) => {
      checker.stored('e', content(1))
      for (const packetId of [1, 2]) checker.delivered('c', { packetId, deviceId: 'd', payloads: ['p'] })
      checker.pubacked('c', 2)
    },
  ],
  'an id stored twice': [
    /stored twice/,
    (checker) => {
      checker.stored('e', content(1))
      checker.stored('e', content(1))
    },
  ],
  'a changed value': [
    /content never sent/,
    (checker) => {
      checker.stored('e', content(2))
      checker.quiet()
    },
  ],
  'a row that disappeared': [
    /lost: the row of e was committed/,
    (checker) => {
      checker.stored('e', content(1))
      checker.looked([])
    },
  ],
  'a row that became another': [
    /the row of e was .* and is/,
    (checker) => {
      checker.stored('e', content(1))
      checker.looked([['e', content(2)]])
    },
  ],
  'an id present twice': [
    /stored twice/,
    (checker) =>
      checker.looked([
        ['e', content(1)],
        ['e', content(1)],
      ]),
  ],
  'a lost event': [/lost: p/, (checker) => checker.quiet()],
  'a good event in the dead letters': [
    /good event is dead-lettered/,
    (checker) => checker.deadLettered(LETTER),
  ],
  'a dead letter of something never sent': [
    /dead-lettered but never sent/,
    (checker) => checker.deadLettered({ ...LETTER, payload: 'q' }),
  ],
  'a scrape that does not add up': [
    /3 received/,
    (checker) => checker.counted({ received: 3, stored: 1, duplicate: 0, rejected: 1, inFlight: 0 }),
  ],
  'an account that differs from the rows': [
    /1 stored, events has 0 rows/,
    (checker) => checker.accounted({ received: 1, stored: 1, duplicate: 0, rejected: 0 }),
  ],
  'too much in flight': [/11 messages in flight/, (checker) => checker.held('messages', 11, 10)],
}

for (const [what, [violation, happen]] of Object.entries(BROKEN)) {
  test(`${what} is noticed`, () => {
    const checker = start()
    happen(checker)
    assert.match(checker.violations.join('\n'), violation)
  })
}

test('of two contents with one id, either may be stored and the other must be a dead letter', () => {
  const checker = start('either')
  checker.sent({ deviceId: 'd', payload: 'q', event: { id: 'e', content: content(2) }, fate: 'either' })
  checker.stored('e', content(2))
  checker.deadLettered(LETTER)
  checker.quiet()
  assert.deepEqual(checker.violations, [])
})

test('a stored event that should have been rejected is noticed', () => {
  const checker = start('rejected')
  checker.stored('e', content(1))
  checker.quiet()
  assert.match(checker.violations.join('\n'), /^stored: p/m)
})

test('a look at all rows recognises those seen before and adds the others', () => {
  const checker = start()
  checker.sent({ deviceId: 'd', payload: 'q', event: { id: 'f', content: content(2) }, fate: 'stored' })
  checker.stored('e', content(1))
  checker.looked([
    ['e', content(1)],
    ['f', content(2)],
  ])
  checker.quiet()
  assert.deepEqual(checker.violations, [])
})

test('a will that is not published is not lost, and one that is published is known', () => {
  const checker = start()
  checker.stored('e', content(1))
  for (const [id, payload] of [
    ['will-1', 'will 1'],
    ['will-2', 'will 2'],
  ] as const)
    checker.willed({ deviceId: 'd', payload, event: { id, content: content(2) }, fate: 'stored' })
  checker.stored('will-2', content(2))
  checker.quiet()
  assert.deepEqual(checker.violations, [])
  assert.deepEqual([checker.isKept('d', 'will 1'), checker.isKept('d', 'will 2')], [false, true])
})

test('JSONB may change the order of keys, and nothing else', () => {
  const same = contentOf({
    ...JSON.parse('{"valueText":null}'),
    deviceId: 'd',
    eventType: 't',
    valueNum: 1,
    unit: null,
    tsDevice: null,
    meta: { a: [null], b: 1 },
  })
  assert.equal(content(1), same)
  assert.notEqual(content(1), content(2))
})

test('a row that may be visible late is there in the end, or the promise is broken', () => {
  const watch = () => {
    const checker = new Checker({ mayBeVisibleLate: true })
    checker.sent({ deviceId: 'd', payload: 'p', event: { id: 'e', content: content(1) }, fate: 'stored' })
    checker.acked(ACK)
    checker.delivered('c', { packetId: 1, deviceId: 'd', payloads: ['p'] })
    checker.pubacked('c', 1)
    return checker
  }
  const late = watch()
  late.stored('e', content(1))
  late.quiet()
  assert.deepEqual([late.violations, late.visibleLate], [[], 2])

  const never = watch()
  never.quiet()
  assert.match(never.violations.join('\n'), /told that e is stored.*\nPUBACK 1 came.*\nlost: p/)
})
