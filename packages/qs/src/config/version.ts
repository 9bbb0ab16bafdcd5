import { readFileSync } from 'node:fs'

/** The version of this package, for `qs --version` and the console; the same path leads there from src and from dist. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string
  }
).version
