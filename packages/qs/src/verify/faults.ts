import { setTimeout as delay } from 'node:timers/promises'
import type { FaultProxy } from './fault-proxy.ts'
import type { OwnIngester } from './own-ingester.ts'

/** What the faults can lay hands on: all of it belongs to the proof. */
export interface Rig {
  readonly brokerLink: FaultProxy
  readonly databaseLink: FaultProxy
  readonly ingester: OwnIngester
}

export interface ProofFault {
  readonly name: string
  /** Settles when it is over, and everything could flow again. */
  inflict(rig: Rig): Promise<void> | void
}

/** Longer than the ingester of the proof takes to notice that a link is dead. */
const OUTAGE_MS = 3_000
/** Long enough for what is under way to be committed, and too short to be noticed. */
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
    name: 'commits whose answer is lost',
    inflict: async ({ databaseLink }) => {
      databaseLink.set({ kind: 'silent', direction: 'toClient' })
      await delay(BLINK_MS)
      databaseLink.reset()
      databaseLink.heal()
    },
  },
  {
    name: 'device acks and PUBACKs that are lost',
    inflict: async ({ brokerLink }) => {
      brokerLink.set({ kind: 'silent', direction: 'toServer' })
      await delay(BLINK_MS)
      brokerLink.reset()
      brokerLink.heal()
    },
  },
  {
    name: 'broker in a black hole, everything comes late',
    inflict: async ({ brokerLink }) => {
      brokerLink.set({ kind: 'silent' })
      await delay(OUTAGE_MS)
      brokerLink.heal()
    },
  },
  {
    name: 'database in a black hole, its connections never come back',
    inflict: async ({ databaseLink }) => {
      databaseLink.set({ kind: 'silent' })
      await delay(OUTAGE_MS)
      databaseLink.heal('forgotten')
    },
  },
  { name: 'broker gone without a word', inflict: ({ brokerLink }) => brokerLink.leaveHalfOpen('client') },
  {
    name: 'database gone without a word',
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
