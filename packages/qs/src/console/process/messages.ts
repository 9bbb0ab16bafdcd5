import type { Config } from '../../config/settings.ts'
import type { Fault } from '../../http/fault-log.ts'
import type { CallName } from './console-host.ts'

/** Settings as data: the topic filter is a class, which no message carries. */
export type PlainConfig = Omit<Config, 'MQTT_EVENTS_TOPIC'> & { readonly MQTT_EVENTS_TOPIC: string }

/** What a console process needs to know to start. Secrets come this way and not in arguments that `ps` shows. */
export interface StartOrder {
  readonly config: PlainConfig
  readonly mqttUrl: string
  readonly databaseUrl: string
  /** Broker and database belong to this process tree (qs up); `lan`: boards in the network reach the broker. */
  readonly embedded: { readonly lan: boolean } | null
  readonly canSimulate: boolean
  /** A replay is handed to the pipeline of the process that starts the console, with the receive time of the letter. */
  readonly keepsReceiveTime: boolean
  /** Whoever knows it is the front of this console. */
  readonly token: string
}

/** An error that crosses the process boundary: `statusCode` makes it an HttpProblem again, `code` is a SQLSTATE. */
export interface ToldError {
  readonly message: string
  readonly statusCode: number | null
  readonly code: string | null
}

/** From the process that takes events in to its console. */
export type ToConsole =
  | { readonly kind: 'start'; readonly order: StartOrder }
  | { readonly kind: 'stop' }
  | { readonly kind: 'answer'; readonly call: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly call: number; readonly error: ToldError }

/** From the console to the process that started it. */
export type FromConsole =
  | { readonly kind: 'ready'; readonly port: number }
  /** It cannot start, and would not the next time either. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | {
      readonly kind: 'call'
      readonly call: number
      readonly name: CallName
      readonly args: readonly unknown[]
    }

export function toldError(error: unknown): ToldError {
  const { message, statusCode, code } = error as Partial<ToldError>
  return { message: message ?? String(error), statusCode: statusCode ?? null, code: code ?? null }
}
