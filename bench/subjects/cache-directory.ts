import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where peers are kept that were built or installed for the bench: never in the repository. */
export function cacheDirectory(name: string): string {
  const directory = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'qs-telemetry-bench', name)
  mkdirSync(directory, { recursive: true })
  return directory
}
