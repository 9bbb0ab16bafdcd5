import type {
  DeviceLoginAnswer,
  Letter,
  LetterJudgement,
  LetterList,
  LetterRepair,
  Overview,
  PatchAnswer,
  ReplayAnswer,
  SimulationState,
  System,
} from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import type { LetterFilter } from '../letters/letter-filter.ts'
import type { Page } from '../letters/list-letters.ts'
import type { ConsoleHost } from './process/console-host.ts'

/** Dead letters, as the commands have them too. */
export interface LetterService {
  list(filter: LetterFilter, page: Page): Promise<LetterList>
  /** null: there is none. */
  show(id: string): Promise<Letter | null>
  /** What the ingester would say of this payload; keeps nothing. null: there is no such letter. */
  judge(id: string, repair: LetterRepair): Promise<LetterJudgement | null>
  repair(id: string, repair: LetterRepair): Promise<LetterJudgement | null>
  /** The same merge patch for many; `after` goes on where an answer ended. */
  patch(
    filter: LetterFilter,
    options: { readonly merge: string; readonly dryRun: boolean; readonly after: string },
  ): Promise<PatchAnswer>
  /** `asNow`: events get the time of the replay, not that at which the letter came in. */
  replay(filter: LetterFilter, options: { readonly asNow: boolean }): Promise<ReplayAnswer>
  purge(filter: LetterFilter): Promise<number>
}

export interface DeviceService {
  /** @throws HttpProblem where the name will not do, or the account cannot be made */
  add(deviceId: string): Promise<DeviceLoginAnswer>
}

/** Simulated devices, where there is a broker of ours for them. */
export interface SimulationService {
  state(): Promise<SimulationState>
  start(): Promise<void>
  stop(): Promise<void>
  /** Stops them and removes all that came from them. @returns how many events that were */
  remove(): Promise<number>
}

/** All that the console stands on; `app` puts it together. */
export interface ConsoleServices {
  readonly version: string
  readonly system: () => Promise<System>
  /** Where questions go: a replica, where there is one. */
  readonly read: Ask
  readonly write: Ask
  readonly overview: () => Promise<Overview>
  readonly letters: LetterService
  readonly devices: DeviceService
  readonly simulation: SimulationService | null
  /** The process that started the console. */
  readonly host: ConsoleHost
}
