import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LoginAttempt, LoginQueue, TooManyLogins } from '../../../src/embedded/broker/login-queue.ts'

let clients = 0

/** Each attempt has its own client id. */
function attempt(fields: Pick<LoginAttempt, 'address' | 'username' | 'isKnown'>): LoginAttempt {
  clients++
  return { clientId: `client-${clients}`, ...fields }
}

/** Checks that wait until released, in the order in which they began. */
function gate() {
  const began: string[] = []
  const open: (() => void)[] = []
  const work = (name: string) => () => {
    began.push(name)
    return new Promise<boolean>((resolve) => open.push(() => resolve(true)))
  }
  const letAllGo = async () => {
    while (open.length > 0) {
      open.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { began, work, letAllGo }
}

test('a known account behind the same address is checked next despite 400 wrong logins', async () => {
  const queue = new LoginQueue()
  const { began, work, letAllGo } = gate()
  for (let i = 0; i < 400; i++)
    queue.check(attempt({ address: 'a', username: `wrong-${i}`, isKnown: false }), work(`wrong-${i}`))
  queue.check(attempt({ address: 'a', username: 'board', isKnown: true }), work('board'))
  await letAllGo()
  assert.deepEqual(began.slice(0, 2), ['wrong-0', 'board'])
  assert.equal(began.length, 401)
})

test('another address has its own slot', () => {
  const queue = new LoginQueue()
  const { began, work } = gate()
  for (let i = 0; i < 400; i++)
    queue.check(attempt({ address: 'a', username: `wrong-${i}`, isKnown: false }), work(`wrong-${i}`))
  queue.check(attempt({ address: 'b', username: 'unknown', isKnown: false }), work('other'))
  assert.deepEqual(began, ['wrong-0', 'other'])
})

test('per user name and address at most eight attempts wait, and the oldest is refused', async () => {
  const queue = new LoginQueue()
  const { began, work, letAllGo } = gate()
  const results = Array.from({ length: 12 }, (_, i) =>
    queue
      .check(attempt({ address: 'a', username: 'board', isKnown: true }), work(String(i)))
      .catch((error) => error),
  )
  await letAllGo()
  const refused = (await Promise.all(results)).map((result) => result instanceof TooManyLogins)
  assert.equal(refused.filter(Boolean).length, 3)
  assert.deepEqual(began.slice(0, 2), ['0', '11'])
})

test('at most a thousand attempts for unknown accounts wait', async () => {
  const queue = new LoginQueue()
  const { work } = gate()
  const check = (i: number) =>
    queue.check(attempt({ address: 'a', username: `wrong-${i}`, isKnown: false }), work(String(i)))
  for (let i = 0; i <= 1_000; i++) check(i)
  await assert.rejects(check(1_001), TooManyLogins)
})

test('refusals of one address are increasingly delayed, and immediate again after a minute', () => {
  const queue = new LoginQueue()
  const delays = Array.from({ length: 8 }, () => queue.penaltyMs('a', 1_000))
  assert.deepEqual(delays, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
  assert.equal(queue.penaltyMs('b', 1_000), 100)
  assert.equal(queue.penaltyMs('a', 62_000), 100)
})

test('a successful login ends the earlier attempts of the same client, and no others', async () => {
  const queue = new LoginQueue()
  const { began, work, letAllGo } = gate()
  const check = (clientId: string, name: string) =>
    queue
      .check({ address: 'a', username: 'board', clientId, isKnown: true }, work(name))
      .catch((error) => error instanceof TooManyLogins && 'refused')
  const results = ['first', 'second', 'third', 'fourth'].map((name) =>
    check(name === 'second' ? 'other' : 'board', name),
  )
  await letAllGo()
  // The first check is already running when the fourth attempt arrives.
  assert.deepEqual(await Promise.all(results), [true, true, 'refused', true])
  assert.deepEqual(began, ['first', 'fourth', 'second'])
})
