import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Session } from 'fastify'
import { SessionStore } from '../../src/console/session-store.ts'

const HOUR_MS = 3_600_000

function filled() {
  const store = new SessionStore()
  return {
    store,
    add: (id: string, address: string, endsAt = Date.now() + HOUR_MS) =>
      store.set(id, { address, endsAt } as Session, () => {}),
    has: (id: string) => {
      let found: Session | null = null
      store.get(id, (_, session) => {
        found = session
      })
      return found !== null
    },
  }
}

test('the next login removes expired sessions', () => {
  const { store, add, has } = filled()
  for (let n = 0; n < 40; n++) add(`old-${n}`, '10.0.0.1', Date.now() - 1)
  add('new', '10.0.0.2')
  assert.deepEqual([store.size, has('new'), has('old-39')], [1, true, false])
})

test('an address that logs in repeatedly ends only its own oldest session', () => {
  const { store, add, has } = filled()
  add('somebody', '10.0.0.1')
  for (let n = 0; n < 10_000; n++) add(`script-${n}`, '10.0.0.2')
  assert.deepEqual(
    [store.size, has('somebody'), has('script-9999'), has('script-9949')],
    [51, true, true, false],
  )
})

test('many addresses hold at most a thousand sessions', () => {
  const { store, add, has } = filled()
  for (let n = 0; n < 5_000; n++) add(`s-${n}`, `10.0.${n >> 8}.${n & 255}`)
  assert.deepEqual([store.size, has('s-4999'), has('s-4000'), has('s-3999')], [1_000, true, true, false])
})
