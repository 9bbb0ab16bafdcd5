import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the range from which Linux, macOS and Windows take ports for clients. */
const [LOWEST, HIGHEST] = [10_000, 32_000]

/**
 * A TCP port of 127.0.0.1 that nobody uses now. By chance from a range that no client's connection takes from, so
 * that it is still free when the server listens there, also with many tests at the same time.
 */
export async function freePort(): Promise<number> {
  const port = randomInt(LOWEST, HIGHEST)
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
