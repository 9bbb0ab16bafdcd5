import type { Log } from '../telemetry/log.ts'

export interface Service {
  readonly failed: Promise<Error>
  /** Finishes what is in flight, and logs what it could not finish. */
  stop(): Promise<void>
}

const SAME_WISH_MS = 500

/**
 * Runs a service until SIGINT, SIGTERM or SIGHUP, or until it fails. A second signal ends the process at once.
 *
 * @throws the error it failed with
 */
export async function runUntilStopped(
  log: Log,
  start: (signal: AbortSignal) => Promise<Service>,
): Promise<void> {
  const starting = new AbortController()
  let onSignal: () => void = () => {}
  const signalled = new Promise<null>((resolve) => {
    onSignal = () => resolve(null)
  })
  let firstMs: number | null = null
  const handler = (name: NodeJS.Signals) => {
    // Ctrl-C reaches the whole process group, and npm forwards it to its child as well: one request, two signals.
    if (firstMs !== null && performance.now() - firstMs < SAME_WISH_MS) return
    if (firstMs !== null) process.exit(1)
    firstMs = performance.now()
    log.info({ signal: name }, 'Stopping: finishing what is in flight')
    starting.abort()
    onSignal()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, handler)

  let service: Service
  try {
    service = await start(starting.signal)
  } catch (error) {
    if (starting.signal.aborted) process.exit(0)
    throw error
  }
  const failure = await Promise.race([signalled, service.failed])
  await service.stop()
  if (failure !== null) throw failure
  log.info('Stopped')
  process.exit(0)
}
