import { setTimeout as delay } from 'node:timers/promises'
import type { Direction, FaultProxy } from './fault-proxy.ts'
import type { OwnIngester } from './own-ingester.ts'

/** What the faults act on: all of it belongs to the proof. */
export interface Rig {
  readonly brokerLink: FaultProxy
  readonly databaseLink: FaultProxy
  readonly ingester: OwnIngester
  /** The direction of device acks and PUBACKs through `brokerLink`. */
  readonly answers: Direction
}

export interface ProofFault {
  readonly name: string
  /** Settles when the fault is over and events can flow again. */
  inflict(rig: Rig): Promise<void> | void
}

/** Long enough for the ingester of the proof to notice a dead link. */
const OUTAGE_MS = 3_000
/** Long enough for events in flight to be committed, too short to be noticed. */
const BLINK_MS = 300

export const PROOF_FAULTS: readonly ProofFault[] = [
  { name: 'broker connection reset', inflict: ({ brokerLink }) => brokerLink.reset() },
  { name: 'database connections reset', inflict: ({ databaseLink }) => databaseLink.reset() },
  {
    name: 'slow network, 200 ms each way',
    inflict: async ({ brokerLink, databaseLink }) => {
      for (const link of [brokerLink, databaseLink]) link.set({ kind: 'delay', ms: 200 })
      await delay(OUTAGE_MS)
      for (const link of [brokerLink, databaseLink]) link.heal()
    },
  },
  {
    name: 'lost answers to commits',
    inflict: async ({ databaseLink }) => {
      databaseLink.set({ kind: 'silent', direction: 'toClient' })
      await delay(BLINK_MS)
      databaseLink.reset()
      databaseLink.heal()
    },
  },
  {
    name: 'lost device acks and PUBACKs',
    inflict: async ({ brokerLink, answers }) => {
      brokerLink.set({ kind: 'silent', direction: answers })
      await delay(BLINK_MS)
      brokerLink.reset()
      brokerLink.heal()
    },
  },
  {
    name: 'broker in a black hole, everything arrives late',
    inflict: async ({ brokerLink }) => {
      brokerLink.set({ kind: 'silent' })
      await delay(OUTAGE_MS)
      brokerLink.heal()
    },
  },
  {
    name: 'database in a black hole, its connections never recover',
    inflict: async ({ databaseLink }) => {
      databaseLink.set({ kind: 'silent' })
      await delay(OUTAGE_MS)
      databaseLink.heal('forgotten')
    },
  },
  { name: 'broker silently gone', inflict: ({ brokerLink }) => brokerLink.leaveHalfOpen('client') },
  {
    name: 'database silently gone',
    inflict: ({ databaseLink }) => databaseLink.leaveHalfOpen('client'),
  },
  ...[1, 2, 3].map((time) => ({
    name: `ingester killed (${time})`,
    inflict: async ({ ingester }: Rig) => {
      await ingester.kill()
      await ingester.start()
    },
  })),
]
