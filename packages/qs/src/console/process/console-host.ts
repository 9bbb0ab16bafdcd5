import type { DeviceAck } from '@qs-telemetry/protocol'
import type { LiveBatch, Overview, SimulationState, UnhandledTopics } from '@qs-telemetry/protocol/api'
import type { ReplayMessage } from '../../letters/replay-letter.ts'

/** Data of the first page that is not in the database. `rate` is null if it comes from the database. */
export type Vitals = Pick<Overview, 'commitMs' | 'inFlight' | 'broker' | 'alarms'> & {
  readonly rate: Pick<Overview, 'eventsPerSecond' | 'rateSeconds'> | null
}

/** The messages that a page wants to see live. */
export interface LiveChoice {
  readonly devices?: readonly string[]
  readonly onlyRejected?: boolean
}

export interface AckWait {
  readonly eventIds: readonly string[]
  readonly timeoutMs: number
}

/**
 * All calls of the console to the process that started it. Arguments and results cross a process boundary, so they are
 * plain data, and every call is asynchronous. The console calls and the host answers, never the other way round, so
 * that nothing piles up in the ingesting process for a console that hangs.
 */
export interface ConsoleHost {
  vitals(): Promise<Vitals>
  /** Why there are no live messages, or null. */
  liveProblem(): Promise<string | null>
  /** @returns the id of a new listener */
  listen(choice: LiveChoice): Promise<number>
  /** Takes the queued messages of a listener, limited in messages and bytes. */
  take(listener: number): Promise<LiveBatch>
  unlisten(listener: number): Promise<void>
  unhandledTopics(): Promise<UnhandledTopics>
  /** Sends a replay like new input. null: the device acks did not all come in time. */
  publish(message: ReplayMessage, wait: AckWait): Promise<readonly DeviceAck[] | null>
  simulationState(): Promise<SimulationState>
  startSimulation(): Promise<void>
  stopSimulation(): Promise<void>
  /** @returns the number of events removed */
  removeSimulated(): Promise<number>
}

/** The calls that a host accepts. */
export const CALLS = [
  'vitals',
  'liveProblem',
  'listen',
  'take',
  'unlisten',
  'unhandledTopics',
  'publish',
  'simulationState',
  'startSimulation',
  'stopSimulation',
  'removeSimulated',
] as const satisfies readonly (keyof ConsoleHost)[]

export type CallName = (typeof CALLS)[number]
