import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

/** The passwords that `qs up --lan` made, as lines of `.env`. */
export function lanFile(dataDir: string): string {
  return join(dataDir, 'lan.env')
}

/** Empty if there is none, or if only another user may read it. */
export function readLanFile(dataDir: string): {
  readonly path: string
  readonly variables: Readonly<Record<string, string | undefined>>
} {
  const path = lanFile(dataDir)
  try {
    return { path, variables: parseEnv(readFileSync(path, 'utf8')) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return { path, variables: {} }
    throw error
  }
}
