import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { leash } from '../support/leash.ts'

const script = fileURLToPath(new URL('./embedded-postgres-process.ts', import.meta.url))

export interface EmbeddedPostgresChild {
  readonly child: ChildProcess
  readonly url: string
}

export interface ChildOptions {
  readonly dataDir: string
  readonly port: number
  readonly uid?: number
  readonly gid?: number
}

/** Starts the embedded database in another process, perhaps of another user, and waits for its URL. */
export async function spawnEmbeddedPostgres({
  dataDir,
  port,
  ...user
}: ChildOptions): Promise<EmbeddedPostgresChild> {
  const args = ['--import', 'tsx', '--conditions=source', script, dataDir, String(port)]
  const child = spawn(process.execPath, args, {
    ...user,
    env: { PATH: process.env.PATH, TMPDIR: tmpdir() },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  leash(child)
  let output = ''
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  const first = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  if (!Buffer.isBuffer(first[0])) throw new Error(`the process ended: ${output}`)
  return { child, url: first[0].toString().trim() }
}
