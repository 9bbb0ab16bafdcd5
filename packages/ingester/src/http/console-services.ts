import type {
  DeviceLoginAnswer,
  Letter,
  LetterJudgement,
  LetterList,
  LetterRepair,
  Overview,
  ReplayAnswer,
  SimulationState,
  System,
} from '@qs-telemetry/protocol/api'
import type { ConsoleHost } from '../console/console-host.ts'
import type { Ask } from '../database/query-pool.ts'
import type { LetterFilter } from '../letters/letter-filter.ts'
import type { Page } from '../letters/list-letters.ts'

/** Dead letters, as the commands have them too. */
export interface LetterDesk {
  list(filter: LetterFilter, page: Page): Promise<LetterList>
  /** null: there is none. */
  show(id: string): Promise<Letter | null>
  /** What the ingester would say of this payload; keeps nothing. null: there is no such letter. */
  judge(id: string, repair: LetterRepair): Promise<LetterJudgement | null>
  repair(id: string, repair: LetterRepair): Promise<LetterJudgement | null>
  replay(filter: LetterFilter): Promise<ReplayAnswer>
  purge(filter: LetterFilter): Promise<number>
}

export interface DeviceDesk {
  /** @throws HttpProblem where the name will not do, or the account cannot be made */
  add(deviceId: string): Promise<DeviceLoginAnswer>
}

/** Simulated devices, where there is a broker of ours for them. */
export interface SimulationDesk {
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
  readonly letters: LetterDesk
  readonly devices: DeviceDesk
  readonly simulation: SimulationDesk | null
  /** The process that started the console. */
  readonly host: ConsoleHost
}
