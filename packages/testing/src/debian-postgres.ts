import { existsSync } from 'node:fs'
import { missing } from './missing.ts'

const NEWEST_FIRST = [18, 17, 16, 15].map((major) => `/usr/lib/postgresql/${major}/bin`)

/** The folder of the system's PostgreSQL programs, including the server. */
export function debianBin(): string {
  return NEWEST_FIRST.find((folder) => existsSync(`${folder}/initdb`)) ?? '/usr/lib/postgresql/15/bin'
}

/** Why tests with it are skipped, or false. */
export const debianPostgresMissing = missing(`${debianBin()}/postgres`, '--version')
