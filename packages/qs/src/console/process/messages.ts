import type { Config } from '../../config/settings.ts'
import type { ShownSetting } from '../../config/shown-settings.ts'
import { reasonOf } from '../../errors/reason-of.ts'
import type { Fault } from '../../http/fault-log.ts'
import type { CallName } from './console-host.ts'

/** Settings as plain data: a message cannot carry the topic filter, which is a class. */
export type PlainConfig = Omit<Config, 'MQTT_EVENTS_TOPIC'> & { readonly MQTT_EVENTS_TOPIC: string }

/** What a console process needs to start. Secrets come in this message, since `ps` shows arguments. */
export interface StartOrder {
  readonly config: PlainConfig
  readonly mqttUrl: string
  readonly databaseUrl: string
  /** Broker and database belong to this process tree (qs up); `lan`: boards in the network can reach the broker. */
  readonly embedded: { readonly lan: boolean } | null
  readonly canSimulate: boolean
  /** Replays go to the pipeline of the parent process, with the receive time of the letter. */
  readonly keepsReceiveTime: boolean
  /** Those of the parent process, without secrets. */
  readonly settings: readonly ShownSetting[]
  /** Authenticates the front to the console. */
  readonly token: string
}

/** An error sent across the process boundary: `code` is that of a QsError, or a SQLSTATE. */
export interface ToldError {
  /** Without the advice of the code. */
  readonly message: string
  readonly code: string | null
}

/** From the parent process to its console. */
export type ToConsole =
  | { readonly kind: 'start'; readonly order: StartOrder }
  | { readonly kind: 'stop' }
  | { readonly kind: 'answer'; readonly call: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly call: number; readonly error: ToldError }

/** From the console to its parent process. */
export type FromConsole =
  | { readonly kind: 'ready'; readonly port: number }
  /** The console cannot start, and another attempt would fail too. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | {
      readonly kind: 'call'
      readonly call: number
      readonly name: CallName
      readonly args: readonly unknown[]
    }

export function toldError(error: unknown): ToldError {
  const { code = null } = error as Partial<ToldError>
  return { message: reasonOf(error), code }
}
