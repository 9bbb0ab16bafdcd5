import { type Attack, fell, held, NO_CONSOLE, NO_LOGIN, skipped } from '../attack.ts'
import { converse } from '../conversation.ts'

/** 16 KiB of text and 24 KiB of meta in each event, within the default limits: 100 MiB where a page holds all of it. */
const [EVENTS, PER_MESSAGE, AT_ONCE, ROUNDS] = [400, 5, 6, 3]
const value = 'x'.repeat(16_000)
const meta = { text: 'y'.repeat(24_000) }

export const consoleHeavyPages: Attack = {
  name: 'console-heavy-pages',
  about: `A user asks for the largest pages there are, ${AT_ONCE} at once`,
  run: async ({ console: access, attacker }) => {
    if (access === null) return skipped(NO_CONSOLE)
    const { user: target } = access
    if (target === null) return skipped(NO_LOGIN)
    const { peer, tell } = await converse(attacker)
    try {
      for (let from = 0; from < EVENTS; from += PER_MESSAGE) {
        const events = Array.from({ length: PER_MESSAGE }, (_, index) =>
          attacker.event(`${attacker.deviceId}-heavy-${from + index}`, { value, meta }),
        )
        await tell(`[${events.join(',')}]`)
      }
    } finally {
      peer.destroy()
    }
    const request = { target: `/api/events?limit=1000&device=${encodeURIComponent(attacker.deviceId)}` }
    for (let round = 0; round < ROUNDS; round++)
      await Promise.all(Array.from({ length: AT_ONCE }, () => target.ask(request).catch(() => null)))
    const { status } = await target.ask({ target: '/readyz' })
    if (status === 200) return held(`${AT_ONCE * ROUNDS} pages, and the ingester is ready`)
    return fell(`/readyz answers ${status} afterwards`, 'See the log of the ingester')
  },
}
