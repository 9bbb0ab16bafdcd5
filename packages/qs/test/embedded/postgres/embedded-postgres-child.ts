import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { leash } from '@qs-telemetry/testing/leash.ts'

const script = fileURLToPath(new URL('./embedded-postgres-process.ts', import.meta.url))

export interface EmbeddedPostgresChild {
  readonly child: ChildProcess
  /** Resolves when its database answers; rejects if the process ends before. */
  readonly url: Promise<string>
}

export interface ChildOptions {
  readonly dataDir: string
  readonly port: number
  readonly uid?: number
  readonly gid?: number
}

/** Starts the embedded database in another process, perhaps of another user. */
export function spawnEmbeddedPostgres({ dataDir, port, ...user }: ChildOptions): EmbeddedPostgresChild {
  const args = ['--import', 'tsx', '--conditions=source', script, dataDir, String(port)]
  const child = spawn(process.execPath, args, {
    ...user,
    env: { PATH: process.env.PATH, TMPDIR: tmpdir() },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  leash(child)
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const url = Promise.race([once(child.stdout, 'data'), once(child, 'exit')]).then(([first]) => {
    if (Buffer.isBuffer(first)) return first.toString().trim()
    throw new Error(`the process ended: ${errors}`)
  })
  return { child, url }
}
