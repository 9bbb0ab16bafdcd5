import { isErrorCode, QsError } from '../../errors/qs-error.ts'
import { CALLS, type ConsoleHost } from './console-host.ts'
import type { FromConsole, ToConsole, ToldError } from './messages.ts'

export type Answer = Extract<ToConsole, { kind: 'answer' | 'failure' }>

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

export interface RemoteHost {
  readonly host: ConsoleHost
  /** Handles an answer of the host. */
  hear(message: Answer): void
}

/** The host as seen by the console: each method sends a message and returns a promise of the answer. */
export function remoteHost(send: (message: FromConsole) => void): RemoteHost {
  const waiting = new Map<number, Waiting>()
  let calls = 0
  const callOf =
    (name: (typeof CALLS)[number]) =>
    (...args: readonly unknown[]) =>
      new Promise<unknown>((resolve, reject) => {
        const call = calls++
        waiting.set(call, { resolve, reject })
        send({ kind: 'call', call, name, args })
      })
  return {
    host: Object.fromEntries(CALLS.map((name) => [name, callOf(name)])) as unknown as ConsoleHost,
    hear: (message) => {
      const asked = waiting.get(message.call)
      waiting.delete(message.call)
      if (message.kind === 'answer') asked?.resolve(message.value)
      else asked?.reject(errorOf(message.error))
    },
  }
}

function errorOf({ message, code }: ToldError): Error {
  if (isErrorCode(code)) return new QsError(code, message)
  return Object.assign(new Error(message), code !== null && { code })
}
