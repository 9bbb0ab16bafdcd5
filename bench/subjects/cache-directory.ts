import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Directory of a peer that was built or installed for the bench, outside the repository. */
export function cacheDirectory(name: string): string {
  const directory = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'qs-telemetry-bench', name)
  mkdirSync(directory, { recursive: true })
  return directory
}
