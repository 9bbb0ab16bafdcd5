import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export type ToolName = 'pg_dump' | 'pg_restore' | 'psql'

export interface Tool {
  readonly path: string
  readonly major: number
}

/** Where Debian and the PostgreSQL image keep the programs of each version. */
const VERSIONS = '/usr/lib/postgresql'

/**
 * The program of PostgreSQL that fits: of the version asked for, else the next newer one. An older one does not know
 * what a newer server has, and a newer one may say what an older server does not know.
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
  const found = newest === undefined ? 'there is none here' : `the newest one here is ${newest.major}`
  throw new Error(
    `${name} of PostgreSQL ${atLeastMajor} or newer is needed, and ${found}. Install the package ` +
      `postgresql-client-${atLeastMajor} (Debian, Ubuntu: apt.postgresql.org has every version), or put the folder of ` +
      'such a one into PATH. The container qs of the composed stack has it.',
  )
}

function candidates(name: ToolName): readonly string[] {
  const versions = existsSync(VERSIONS)
    ? readdirSync(VERSIONS).map((version) => join(VERSIONS, version, 'bin'))
    : []
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return [...path, ...versions].map((folder) => join(folder, name))
}

/** 0 for one that does not run. */
function majorOf(path: string): number {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  return Number(/\(PostgreSQL\) (\d+)/.exec(stdout ?? '')?.[1] ?? 0)
}
