import type { Config } from '../config/settings.ts'
import type { DatabaseClient } from '../database/open-client.ts'
import type { Board } from './board.ts'
import type { ConsoleTarget } from './console-target.ts'
import type { HonestDevice } from './honest-device.ts'

/** The console without a login, and with one: as viewer if a password is known, else null. */
export interface ConsoleAccess {
  readonly stranger: ConsoleTarget
  readonly user: ConsoleTarget | null
  readonly isOpen: boolean
}

/** Everything an attack may use: two boards, an honest device that sends all the time, the console. */
export interface Target {
  readonly config: Config
  /** Prefix of every id, topic and row of the run. */
  readonly run: string
  /** A board that misbehaves. */
  readonly attacker: Board
  /** A board under attack by another one. */
  readonly victim: Board
  readonly honest: HonestDevice
  /** Longest time that a device may wait for the servers. */
  readonly maxWaitMs: number
  /** Whether each board has an account that the broker confines to its own topics. */
  readonly hasAccounts: boolean
  readonly database: DatabaseClient
  readonly console: ConsoleAccess | null
}

/** The result of one attack. */
export type Verdict =
  | { readonly kind: 'held'; readonly detail: string }
  /** `advice` says what to change or to report. */
  | { readonly kind: 'fell'; readonly detail: string; readonly advice: string }
  | { readonly kind: 'skipped'; readonly reason: string }

export interface Attack {
  /** For `--only` and the table. */
  readonly name: string
  /** What the attacker does, as a sentence: "A board publishes with QoS 2". */
  readonly about: string
  run(target: Target): Promise<Verdict>
}

export function held(detail: string): Verdict {
  return { kind: 'held', detail }
}

export function fell(detail: string, advice: string): Verdict {
  return { kind: 'fell', detail, advice }
}

export function skipped(reason: string): Verdict {
  return { kind: 'skipped', reason }
}

export const NO_CONSOLE = 'no console answers; give its URL with --console'
export const NO_LOGIN =
  'this console requires a login; set CONSOLE_VIEWER_PASSWORD or CONSOLE_OPERATOR_PASSWORD to test it'

/** The first entries of a list, as text. */
export function some(texts: readonly string[]): string {
  return `${texts.slice(0, 3).join(', ')}${texts.length > 3 ? ` and ${texts.length - 3} more` : ''}`
}
