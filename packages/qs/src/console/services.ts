import type {
  AddedDevices,
  DeviceLoginAnswer,
  DeviceRemoval,
  Letter,
  LetterJudgement,
  LetterList,
  LetterRepair,
  Overview,
  PatchAnswer,
  ReplayAnswer,
  Settings,
  SimulationState,
  Storage,
  System,
} from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import type { LetterFilter } from '../letters/letter-filter.ts'
import type { Page } from '../letters/list-letters.ts'
import type { ConsoleHost } from './process/console-host.ts'

/** The dead-letter commands for the console. */
export interface LetterService {
  list(filter: LetterFilter, page: Page): Promise<LetterList>
  /** null: there is no such letter. */
  show(id: string): Promise<Letter | null>
  /** Checks a payload as the ingester would, without storing it. null: there is no such letter. */
  judge(id: string, repair: LetterRepair): Promise<LetterJudgement | null>
  repair(id: string, repair: LetterRepair): Promise<LetterJudgement | null>
  /** Applies one merge patch to many letters; `after` continues from the end of the previous answer. */
  patch(
    filter: LetterFilter,
    options: { readonly merge: string; readonly dryRun: boolean; readonly after: string },
  ): Promise<PatchAnswer>
  /** `asNow`: events get the time of the replay, not the receive time of the letter. */
  replay(filter: LetterFilter, options: { readonly asNow: boolean }): Promise<ReplayAnswer>
  purge(filter: LetterFilter): Promise<number>
}

export interface DeviceService {
  /** @throws QsError if the name is not allowed or the account cannot be created */
  add(deviceId: string): Promise<DeviceLoginAnswer>
  /** Adds the devices of a CSV list; those that have an account keep it. @throws QsError with every mistake in it */
  addListed(csv: string): Promise<AddedDevices>
  /** Sets a new password; connections with the old one end. */
  rotate(deviceId: string): Promise<DeviceLoginAnswer>
  /** Deletes its account, if this process may, and all its data. */
  remove(deviceId: string): Promise<DeviceRemoval>
}

export interface SettingService {
  list(): Promise<Settings>
  /** @param value null: the default @throws QsError if it may not be changed here, or the value is wrong */
  choose(name: string, value: string | null): Promise<Settings>
}

/** Simulated devices on the embedded broker. */
export interface SimulationService {
  state(): Promise<SimulationState>
  start(): Promise<void>
  stop(): Promise<void>
  /** Stops them and removes their data. @returns the number of events removed */
  remove(): Promise<number>
}

/** Everything the console depends on. */
export interface ConsoleServices {
  readonly version: string
  readonly system: () => Promise<System>
  /** For queries: the replica, if there is one. */
  readonly read: Ask
  readonly write: Ask
  readonly overview: () => Promise<Overview>
  readonly storage: () => Promise<Storage>
  readonly letters: LetterService
  readonly devices: DeviceService
  readonly settings: SettingService
  readonly simulation: SimulationService | null
  /** The process that started the console. */
  readonly host: ConsoleHost
}
