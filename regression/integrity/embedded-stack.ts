import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { startQs, untilReady } from '@qs-telemetry/testing/qs.ts'

export interface EmbeddedStack {
  /** MQTT port. */
  readonly port: number
  readonly httpPort: number
  /** The settings it runs with, for commands that must find it. */
  readonly env: EmbeddedEnv
}

export interface EmbeddedEnv extends Readonly<Record<string, string>> {
  readonly QS_DATA_DIR: string
  readonly MQTT_PORT: string
  readonly HTTP_PORT: string
  readonly POSTGRES_PORT: string
}

/** Environment of a `qs up` with its own ports and data directory, which is removed after the test. */
export async function embeddedEnv(
  t: TestContext,
  settings: Readonly<Record<string, string>> = {},
): Promise<EmbeddedEnv> {
  const directory = mkdtempSync(join(tmpdir(), 'qs-embedded-'))
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  return {
    QS_DATA_DIR: join(directory, 'data'),
    MQTT_PORT: String(await freePort()),
    MQTT_WS_PORT: String(await freePort()),
    HTTP_PORT: String(await freePort()),
    POSTGRES_PORT: String(await freePort()),
    LOG_LEVEL: 'warn',
    ...settings,
  }
}

/** Starts `qs up` with its own ports and data directory and waits until it is ready; stopped after the test. */
export async function startEmbeddedStack(
  t: TestContext,
  settings: Readonly<Record<string, string>> = {},
): Promise<EmbeddedStack> {
  const env = await embeddedEnv(t, settings)
  const [port, httpPort] = [Number(env.MQTT_PORT), Number(env.HTTP_PORT)]
  const qs = startQs(t, ['up'], { env })
  await untilReady(qs, httpPort)
  return { port, httpPort, env }
}
