import type { UnhandledTopics } from '@qs-telemetry/protocol/api'
import { QsError } from '../../errors/qs-error.ts'
import type { AckInbox } from '../../letters/replay-letter.ts'
import type { LiveFeed, LiveListener } from '../live-feed.ts'
import type { SimulationService } from '../services.ts'
import type { ConsoleHost, Vitals } from './console-host.ts'

/** What differs between the console of an ingester, that of `qs up`, and `qs console`. */
export interface HostParts {
  readonly vitals: () => Promise<Vitals>
  readonly live: LiveFeed
  /** Why there are no live messages, or null. */
  readonly liveProblem: () => string | null
  readonly unhandledTopics: () => UnhandledTopics
  /** Sends replays into the pipeline. */
  readonly inbox: AckInbox
  readonly simulation: SimulationService | null
}

export interface ConsoleAnswers extends ConsoleHost {
  /** Closes the listeners of the console, after its process has ended. */
  close(): void
}

/** The answers for one console process. */
export function consoleAnswers({
  vitals,
  live,
  liveProblem,
  unhandledTopics,
  inbox,
  simulation,
}: HostParts): ConsoleAnswers {
  const listeners = new Map<number, LiveListener>()
  let last = 0
  const needed = (): SimulationService => {
    if (simulation !== null) return simulation
    throw new QsError('NO_SIMULATION', 'This process has no simulated devices')
  }
  return {
    vitals,
    liveProblem: async () => liveProblem(),
    listen: async ({ devices, onlyRejected }) => {
      last++
      listeners.set(
        last,
        live.listen({
          ...(devices !== undefined && { devices: new Set(devices) }),
          ...(onlyRejected !== undefined && { onlyRejected }),
        }),
      )
      return last
    },
    take: async (listener) => listeners.get(listener)?.take() ?? { messages: [], dropped: 0 },
    unlisten: async (listener) => {
      listeners.get(listener)?.close()
      listeners.delete(listener)
    },
    unhandledTopics: async () => unhandledTopics(),
    // Bytes from another process arrive as a Uint8Array, not as a Buffer.
    publish: ({ payload, ...message }, wait) =>
      inbox.publish({ ...message, payload: Buffer.from(payload) }, wait),
    simulationState: async () => needed().state(),
    startSimulation: async () => needed().start(),
    stopSimulation: async () => needed().stop(),
    removeSimulated: async () => needed().remove(),
    close: () => {
      for (const listener of listeners.values()) listener.close()
      listeners.clear()
    },
  }
}
