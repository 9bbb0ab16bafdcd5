import { spawn } from 'node:child_process'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { until } from '@qs-telemetry/testing/until.ts'

/** Starts `qs console` as its own process. */
export async function startConsole(databaseUrl: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const port = await freePort()
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: databaseUrl,
    HTTP_PORT: String(port),
    LOG_LEVEL: 'warn',
  }
  const child = spawn(process.execPath, ['packages/qs/bin/qs.js', 'console'], { env, stdio: 'inherit' })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = `http://127.0.0.1:${port}`
  const isReady = () =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  await until(isReady, 'qs console is ready', 60_000)
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
  }
  return { url, stop }
}
