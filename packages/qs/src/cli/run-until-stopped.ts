import type { Log } from '../telemetry/log.ts'

export interface Service {
  readonly failed: Promise<Error>
  /** Finishes what is under way, and says in the log what it could not finish. */
  stop(): Promise<void>
}

const SAME_WISH_MS = 500

/**
 * Runs a service until SIGINT, SIGTERM or SIGHUP, or until it fails. A second signal ends it at once.
 *
 * @throws Error why it failed
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
    // Ctrl-C reaches the whole process group, and npm passes it on to its child: that is one wish, said twice.
    if (firstMs !== null && performance.now() - firstMs < SAME_WISH_MS) return
    if (firstMs !== null) process.exit(1)
    firstMs = performance.now()
    log.info({ signal: name }, 'Stopping: finishing what is under way')
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
