import { QsError } from '../../errors/qs-error.ts'
import { CALLS, type CallName, type ConsoleHost } from './console-host.ts'
import { type FromConsole, type ToConsole, toldError } from './messages.ts'

type Call = Extract<FromConsole, { kind: 'call' }>

/** Executes a call of the console and sends the result or the error. Never throws. */
export async function answerCall(
  host: ConsoleHost,
  { call, name, args }: Call,
  send: (message: ToConsole) => void,
): Promise<void> {
  try {
    if (!isCall(name))
      throw new QsError('INTERNAL_ERROR', `The console made an unknown call: ${String(name)}`)
    const method = host[name] as (...args: readonly unknown[]) => Promise<unknown>
    send({ kind: 'answer', call, value: await method(...args) })
  } catch (error) {
    send({ kind: 'failure', call, error: toldError(error) })
  }
}

function isCall(name: unknown): name is CallName {
  return (CALLS as readonly unknown[]).includes(name)
}
