import { type Attack, fell, held, NO_CONSOLE, NO_LOGIN, skipped, some } from '../attack.ts'
import type { ConsoleTarget } from '../console-target.ts'
import { converse } from '../conversation.ts'

/** Each event has 16 KiB of text and 24 KiB of meta, within the default limits: 100 MiB if a page had no limit. */
const [EVENTS, PER_MESSAGE, AT_ONCE, ROUNDS] = [400, 5, 6, 3]
const value = 'x'.repeat(16_000)
const meta = { text: 'y'.repeat(24_000) }

export const consoleHeavyPages: Attack = {
  name: 'console-heavy-pages',
  about: `A user requests the largest possible pages, ${AT_ONCE} at once`,
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
    const page = `/api/events?limit=1000&device=${encodeURIComponent(attacker.deviceId)}`
    const wrong: string[] = []
    let bytes = 0
    for (let round = 0; round < ROUNDS; round++) {
      const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => read(target, page)))
      wrong.push(...answers.flatMap(({ problem }) => problem ?? []))
      for (const answer of answers) bytes += answer.bytes
    }
    for (const after of ['/api/overview', '/readyz']) {
      const { problem } = await read(target, after)
      if (problem !== null) wrong.push(`${after}, afterwards: ${problem}`)
    }
    if (wrong.length > 0) return fell(`the console does not answer: ${some(wrong)}`, 'See its log')
    const megabytes = (bytes / 1024 / 1024).toFixed(0)
    return held(`${AT_ONCE * ROUNDS} complete pages, ${megabytes} MiB, and the overview afterwards`)
  },
}

interface Page {
  readonly bytes: number
  readonly problem: string | null
}

async function read(target: ConsoleTarget, address: string): Promise<Page> {
  try {
    const { status, body } = await target.ask({ target: address, isWhole: true })
    if (status !== 200) return { bytes: 0, problem: `status ${status}` }
    // A truncated answer is not valid JSON.
    JSON.parse(body)
    return { bytes: body.length, problem: null }
  } catch (error) {
    return { bytes: 0, problem: (error as Error).message }
  }
}
