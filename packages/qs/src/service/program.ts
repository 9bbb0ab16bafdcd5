import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** How a service manager starts this program: its PATH is not that of a shell, so that all paths are absolute. */
export type Program = readonly [node: string, ...args: readonly string[]]

/** Without a command. The flags of Node are those in the first line of bin/qs.js. */
export function thisProgram(): Program {
  const script = fileURLToPath(new URL('../../bin/qs.js', import.meta.url))
  const [, flags = ''] = /^#!\/usr\/bin\/env -S node (.*)/.exec(readFileSync(script, 'utf8')) ?? []
  return [process.execPath, ...flags.split(' '), script]
}
