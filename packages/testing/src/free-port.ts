import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, statSync, utimesSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Below the ephemeral ports of Linux, macOS and Windows. */
const [LOWEST, HIGHEST] = [10_000, 32_000]
/** One per user: others may not write there. */
const CLAIMS = join(tmpdir(), `qs-test-ports-${process.getuid?.() ?? 0}`)
/** Longer than it takes to listen on a port. */
const CLAIM_MS = 300_000

/**
 * A free TCP port of 127.0.0.1. It is random from a range without ephemeral ports, and claimed, so that it is still
 * free when the server listens there, even with many tests at the same time.
 */
export async function freePort(): Promise<number> {
  const port = randomInt(LOWEST, HIGHEST)
  if (!claim(port)) return freePort()
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return freePort()
  }
  server.close()
  await once(server, 'close')
  return port
}

/** A claim is a folder named after the port: only one process can make it. */
function claim(port: number): boolean {
  const path = join(CLAIMS, String(port))
  mkdirSync(CLAIMS, { recursive: true })
  try {
    mkdirSync(path)
    return true
  } catch {
    if (Date.now() - statSync(path).mtimeMs < CLAIM_MS) return false
    utimesSync(path, new Date(), new Date())
    return true
  }
}
