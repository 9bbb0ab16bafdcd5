import { type Attack, fell, held, NO_CONSOLE, NO_LOGIN, skipped, some } from '../attack.ts'

const REQUESTS = [
  '/api/events?device=%00',
  '/api/devices/%00',
  '/api/devices?search=%00',
  '/api/events?limit=99999999',
  '/api/events?after=%00',
  '/api/devices/__proto__',
  '/api/devices/constructor',
]

export const consoleBadParameters: Attack = {
  name: 'console-bad-parameters',
  about: 'A user sends parameters that no database can store',
  run: async ({ console: access }) => {
    if (access === null) return skipped(NO_CONSOLE)
    const { user: target } = access
    if (target === null) return skipped(NO_LOGIN)
    const wrong: string[] = []
    for (const request of REQUESTS) {
      const { status } = await target.ask({ target: request })
      if (status < 400 || status >= 500) wrong.push(`${request} (${status})`)
    }
    if (wrong.length === 0) return held(`${REQUESTS.length} requests were refused`)
    return fell(`these are not answered with 4xx: ${some(wrong)}`, 'Update the console')
  },
}
