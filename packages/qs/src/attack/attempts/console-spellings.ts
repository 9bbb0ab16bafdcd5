import { type Attack, fell, held, NO_CONSOLE, skipped, some } from '../attack.ts'

const PATHS = ['/api/devices', '/api/overview', '/api/events', '/api/audit', '/api/letters']

/** Spellings of a path for which a router and a check of the text may disagree. */
export function spellings(path: string, origin: string): readonly string[] {
  const inner = path.slice(1)
  return [
    path,
    `/%61${inner.slice(1)}`,
    `/${inner.replace('i/', 'i%2f')}`,
    `//${inner}`,
    `/./${inner}`,
    `/x/../${inner}`,
    `/${inner.toUpperCase()}`,
    `${path};x`,
    `${path}/`,
    `${origin}${path}`,
    `${origin}/%61${inner.slice(1)}`,
  ]
}

export const consoleSpellings: Attack = {
  name: 'console-spellings',
  about: 'A stranger queries the console with every spelling of a path',
  run: async ({ console: access }) => {
    if (access === null) return skipped(NO_CONSOLE)
    const { stranger: target, isOpen } = access
    if (isOpen) return skipped('this console is open to everyone on its machine')
    const all = PATHS.flatMap((path) => spellings(path, target.url.origin))
    const answered: string[] = []
    for (const spelling of all) {
      const { status } = await target.ask({ target: spelling })
      if (status >= 200 && status < 300) answered.push(spelling)
    }
    if (answered.length === 0) return held(`${all.length} requests without a login were refused`)
    return fell(`it answers without a login at ${some(answered)}`, 'Update the console')
  },
}
