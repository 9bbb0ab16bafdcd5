import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { readVariable } from '../../config/environment.ts'
import { QsError } from '../../errors/qs-error.ts'

export type ToolName = 'pg_dump' | 'pg_restore' | 'psql'

export interface Tool {
  readonly path: string
  readonly major: number
}

/** Programs of each version in Debian and in the PostgreSQL image. */
const VERSIONS = '/usr/lib/postgresql'

/**
 * Finds a PostgreSQL program of the requested version, else the next newer one. An older one cannot handle a newer
 * server, and a newer one may use syntax unknown to an older server.
 *
 * @throws Error that says what to install
 */
export function findTool(name: ToolName, atLeastMajor: number): Tool {
  const tools = candidates(name)
    .filter((path) => existsSync(path))
    .map((path) => ({ path, major: majorOf(path) }))
    .sort((a, b) => a.major - b.major)
  const fitting = tools.find(({ major }) => major >= atLeastMajor)
  if (fitting !== undefined) return fitting
  const newest = tools.at(-1)
  const found = newest === undefined ? 'none is installed' : `the newest installed is ${newest.major}`
  throw new QsError(
    'POSTGRES_TOOLS_MISSING',
    `${name} of PostgreSQL ${atLeastMajor} or newer is needed (postgresql-client-${atLeastMajor}), but ${found}`,
  )
}

function candidates(name: ToolName): readonly string[] {
  const versions = existsSync(VERSIONS)
    ? readdirSync(VERSIONS).map((version) => join(VERSIONS, version, 'bin'))
    : []
  const path = (readVariable('PATH') ?? '').split(delimiter).filter((folder) => folder !== '')
  return [...path, ...versions].map((folder) => join(folder, name))
}

/** 0 if the program does not run. */
function majorOf(path: string): number {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  return Number(/\(PostgreSQL\) (\d+)/.exec(stdout ?? '')?.[1] ?? 0)
}
