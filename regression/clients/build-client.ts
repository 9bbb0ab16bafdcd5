import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const HERE = new URL('.', import.meta.url)
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'qs-telemetry', 'clients')
const BUILT = '.built'
const TIMEOUT_MS = 15 * 60_000

/** A program of a registry. */
export interface Program {
  readonly folder: string
  readonly version: string
  /** Commands that build it, in a copy of its folder. */
  readonly build: readonly (readonly [string, ...string[]])[]
}

export type Built =
  | { readonly kind: 'built'; readonly directory: string }
  | { readonly kind: 'missing'; readonly why: string }

/** Builds a program in the cache of this user, unless the same one is there: nothing of it is in the repository. */
export async function buildClient(client: Program, from: URL = HERE): Promise<Built> {
  const source = fileURLToPath(new URL(client.folder, from))
  const directory = join(CACHE, `${client.folder}-${client.version}-${digestOf(source, client)}`)
  if (existsSync(join(directory, BUILT))) return { kind: 'built', directory }
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  cpSync(source, directory, { recursive: true })
  for (const [program, ...args] of client.build) {
    try {
      await promisify(execFile)(program, args, { cwd: directory, timeout: TIMEOUT_MS })
    } catch (error) {
      const { code, stderr, message } = error as Error & { readonly code?: unknown; readonly stderr?: string }
      const why =
        code === 'ENOENT' ? `${program} is not installed` : stderr?.trim().split('\n').at(-1) || message
      return { kind: 'missing', why }
    }
  }
  writeFileSync(join(directory, BUILT), '')
  return { kind: 'built', directory }
}

function digestOf(source: string, { build }: Program): string {
  const hash = createHash('sha256').update(JSON.stringify(build))
  for (const name of readdirSync(source).sort()) hash.update(name).update(readFileSync(join(source, name)))
  return hash.digest('hex').slice(0, 12)
}
