import { type Attack, fell, held, NO_CONSOLE, skipped, some } from '../attack.ts'
import type { ConsoleTarget } from '../console-target.ts'
import { spellings } from './console-spellings.ts'

/** Headers that a browser sends for a page of another site (Fetch standard, section 3.2; Fetch Metadata). */
const FOREIGN: readonly Readonly<Record<string, string>>[] = [
  { origin: 'http://attacker.example', 'sec-fetch-site': 'cross-site' },
  { origin: 'null', 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'cross-site' },
]

export const consoleForeignPage: Attack = {
  name: 'console-foreign-page',
  about: "A page of another site makes a user's browser change something",
  run: async ({ console: access, honest }) => {
    if (access === null) return skipped(NO_CONSOLE)
    const target = access.user ?? access.stranger
    // Harmless if it succeeds: the row of the honest device is removed with the run.
    const path = `/api/devices/${honest.deviceId}`
    const body = JSON.stringify({ label: 'changed by a foreign page' })
    const all = spellings(path, target.url.origin)
    const taken: string[] = []
    for (const spelling of all)
      for (const headers of FOREIGN) {
        const json = { 'content-type': 'application/json' }
        const { status } = await target.ask({
          method: 'PATCH',
          target: spelling,
          body,
          headers: { ...json, ...headers },
        })
        if (status >= 200 && status < 300) taken.push(spelling)
      }
    if (taken.length === 0) return held(`${all.length * FOREIGN.length} requests were refused`)
    return fell(`it accepts PATCH ${some(taken)}`, 'Update the console')
  },
}

export const consoleForeignHost: Attack = {
  name: 'console-foreign-host',
  about: 'A page of another site points its own name at the console (DNS rebinding)',
  run: async ({ console: access }) => {
    if (access === null) return skipped(NO_CONSOLE)
    const target = access.user ?? access.stranger
    const statuses = await answersTo(target, { host: 'attacker.example' })
    return verdictOn(statuses, 'a foreign Host')
  },
}

export const consoleUnknownProxy: Attack = {
  name: 'console-unknown-proxy',
  about: 'A proxy that no setting names forwards requests',
  run: async ({ console: access }) => {
    if (access === null) return skipped(NO_CONSOLE)
    const { stranger: target, isOpen } = access
    if (!isOpen) return skipped('this console requires a login for everyone')
    const statuses = await answersTo(target, { 'x-forwarded-for': '203.0.113.7' })
    return verdictOn(statuses, 'the headers of an unknown proxy')
  },
}

async function answersTo(target: ConsoleTarget, headers: Readonly<Record<string, string>>) {
  const paths = ['/api/devices', '/api/overview', '/%61pi/devices']
  return Promise.all(paths.map(async (path) => (await target.ask({ target: path, headers })).status))
}

function verdictOn(statuses: readonly number[], what: string) {
  const isRefused = statuses.every((status) => status >= 400)
  if (isRefused) return held(`refused with ${[...new Set(statuses)].join(', ')}`)
  return fell(`it answers ${what}`, 'Update the console')
}
