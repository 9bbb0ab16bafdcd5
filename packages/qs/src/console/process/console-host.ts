import type { DeviceAck } from '@qs-telemetry/protocol'
import type { LiveBatch, Overview, SimulationState, UnhandledTopics } from '@qs-telemetry/protocol/api'
import type { ReplayMessage } from '../../letters/replay-letter.ts'

/** What the first page shows beside what the database says. `rate` is null where the database has to say it. */
export type Vitals = Pick<Overview, 'commitMs' | 'inFlight' | 'broker' | 'alarms'> & {
  readonly rate: Pick<Overview, 'eventsPerSecond' | 'rateSeconds'> | null
}

/** Which messages a page wants to see live. */
export interface LiveChoice {
  readonly devices?: readonly string[]
  readonly onlyRejected?: boolean
}

export interface AckWait {
  readonly eventIds: readonly string[]
  readonly timeoutMs: number
}

/**
 * Everything that the console asks of the process that started it. Arguments and results cross a process boundary, so
 * they are data, and everything is asynchronous. The console asks and the host answers, never the other way round: a
 * console that hangs has nothing piling up for it in the process that takes events in.
 */
export interface ConsoleHost {
  vitals(): Promise<Vitals>
  /** Why nothing is live, or null. */
  liveProblem(): Promise<string | null>
  /** @returns the number of a new listener */
  listen(choice: LiveChoice): Promise<number>
  /** What this listener has waiting; bounded by messages and bytes. */
  take(listener: number): Promise<LiveBatch>
  unlisten(listener: number): Promise<void>
  /** null: the broker is another process, and shows nobody what comes in on other topics. */
  unhandledTopics(): Promise<UnhandledTopics>
  /** Sends a replay the way of fresh input. null: the device acks did not all come in time. */
  publish(message: ReplayMessage, wait: AckWait): Promise<readonly DeviceAck[] | null>
  simulationState(): Promise<SimulationState>
  startSimulation(): Promise<void>
  stopSimulation(): Promise<void>
  /** @returns how many events were removed */
  removeSimulated(): Promise<number>
}

/** What a host answers; anything else is no call. */
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
