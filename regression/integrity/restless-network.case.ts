import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { FaultProxy } from '../../packages/qs/src/verify/fault-proxy.ts'
import { LINKED_STACKS } from './links.ts'
import { scale } from './scale.ts'

const LASTS_MS = scale(90_000, 20_000)
const FLOWING_MS = 5_000

/** What may happen next to a link; mostly slowness, as in real life. */
const EVENTS: readonly ((link: FaultProxy) => void)[] = [
  (link) => link.set({ kind: 'delay', ms: Math.random() * 500 }),
  (link) => link.set({ kind: 'delay', ms: Math.random() * 50 }),
  (link) => link.set({ kind: 'silent' }),
  (link) => link.heal(),
  (link) => link.heal('forgotten'),
  (link) => link.reset(),
  (link) => link.leaveHalfOpen('server'),
]

for (const { name: stack, skip, open } of LINKED_STACKS) {
  test(`${stack}both links are delayed, held and reset at random under load, and nothing is lost`, {
    skip,
  }, async (t) => {
    const { stage, brokerLink, databaseLink } = await open(t, {
      fault: `random delays and resets on both links for ${LASTS_MS / 1000} s`,
      fleet: { eventsPerSecond: 500 },
    })
    const links = [brokerLink, databaseLink]
    for (const startMs = performance.now(); performance.now() - startMs < LASTS_MS; ) {
      const [link, act] = [pick(links), pick(EVENTS)]
      act(link)
      await delay(Math.random() * 1_000)
    }
    for (const link of links) {
      link.heal()
      // Remaining half-open connections are not waited for here; broker-link and database-link do that.
      link.reset()
    }
    await stage.flowing(FLOWING_MS, 'the network recovered')
    await stage.more(300)
    await stage.finish({ quietMs: 180_000 })
    t.diagnostic(`${brokerLink.accepted} connections to the broker`)
  })
}

function pick<T>(all: readonly T[]): T {
  return all[Math.floor(Math.random() * all.length)] as T
}
