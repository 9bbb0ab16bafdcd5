import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { freePort } from '../../packages/ingester/test/support/free-port.ts'
import { startQs, untilReady } from '../../packages/ingester/test/support/qs.ts'

export interface EmbeddedStack {
  /** Of MQTT. */
  readonly port: number
  readonly httpPort: number
  /** The settings it runs with, for commands that shall find it. */
  readonly env: Readonly<Record<string, string>>
}

/** `qs up` with ports and a data directory of its own, ready; stopped after the test. */
export async function startEmbeddedStack(
  t: TestContext,
  settings: Readonly<Record<string, string>> = {},
): Promise<EmbeddedStack> {
  const directory = mkdtempSync(join(tmpdir(), 'qs-embedded-'))
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  const [port, wsPort, httpPort, postgresPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ] as const
  const env = {
    QS_DATA_DIR: join(directory, 'data'),
    MQTT_PORT: String(port),
    MQTT_WS_PORT: String(wsPort),
    HTTP_PORT: String(httpPort),
    POSTGRES_PORT: String(postgresPort),
    LOG_LEVEL: 'warn',
    ...settings,
  }
  const qs = startQs(t, ['up'], { env })
  await untilReady(qs, httpPort)
  return { port, httpPort, env }
}
