import type { Config } from '../config/settings.ts'
import type { DatabaseClient } from '../database/open-client.ts'
import type { Board } from './board.ts'
import type { ConsoleTarget } from './console-target.ts'
import type { HonestDevice } from './honest-device.ts'

/** The console without a login, and with one: as viewer where a password is known, else null. */
export interface ConsoleAccess {
  readonly stranger: ConsoleTarget
  readonly user: ConsoleTarget | null
  readonly isOpen: boolean
}

/** Everything that an attack may use: two boards, an honest device that sends all the time, the console. */
export interface Target {
  readonly config: Config
  /** Every id, topic and row of the run begins with it. */
  readonly run: string
  /** A board that misbehaves. */
  readonly attacker: Board
  /** A board that another one works against. */
  readonly victim: Board
  readonly honest: HonestDevice
  /** Whether each board has an account that the broker confines to its own topics. */
  readonly hasAccounts: boolean
  readonly database: DatabaseClient
  readonly console: ConsoleAccess | null
}

/** What one attack came to. */
export type Verdict =
  | { readonly kind: 'held'; readonly detail: string }
  /** `advice` says what to change or to report. */
  | { readonly kind: 'fell'; readonly detail: string; readonly advice: string }
  | { readonly kind: 'skipped'; readonly reason: string }

export interface Attack {
  /** For `--only` and the table. */
  readonly name: string
  /** What the attacker does, as the subject would say it: "publishes with QoS 2". */
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

export const NO_CONSOLE = 'no console answers; --console says where it is'
export const NO_LOGIN =
  'this console asks for a login; with CONSOLE_VIEWER_PASSWORD or CONSOLE_OPERATOR_PASSWORD it can be tried'

/** The first of a list, for a line of text. */
export function some(texts: readonly string[]): string {
  return `${texts.slice(0, 3).join(', ')}${texts.length > 3 ? ` and ${texts.length - 3} more` : ''}`
}
