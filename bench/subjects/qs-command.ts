import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const QS = fileURLToPath(new URL('../../packages/qs/bin/qs.js', import.meta.url))
/** Node's flags, from its first line. */
const FLAGS =
  readFileSync(QS, 'utf8')
    .split('\n')[0]
    ?.split(' ')
    .filter((word) => word.startsWith('--')) ?? []

/** Settings that are passed on, so that they can be compared; the report names those that are set. */
const TUNABLE = [
  'DATABASE_WRITERS',
  'IN_FLIGHT_MESSAGES',
  'IN_FLIGHT_BYTES',
  'BATCH_BYTES',
  'ACK_QOS',
] as const

export const tunedSettings: Readonly<Record<string, string>> = Object.fromEntries(
  TUNABLE.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
)

/** The built `qs`, as its bin starts it. @param profileDirectory for a CPU profile, or null */
export function qsCommand(name: string, profileDirectory: string | null): readonly [string, ...string[]] {
  const profile = profileDirectory === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`]
  return [process.execPath, ...FLAGS, ...profile, QS, name]
}

/** /readyz of a `qs` process. */
export async function answersReady(httpPort: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`, { signal: AbortSignal.timeout(2_000) })
    return answer.ok
  } catch {
    return false
  }
}
