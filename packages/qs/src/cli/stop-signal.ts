import { QsError } from '../errors/qs-error.ts'

/** Aborted by Ctrl-C, SIGTERM and SIGHUP, for commands that must clean up before they end. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => controller.abort(new QsError('CANCELLED', `Stopped by ${name}`)))
  }
  return controller.signal
}
