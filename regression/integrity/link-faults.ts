import type { FaultProxy } from '../../packages/qs/src/verify/fault-proxy.ts'
import { scale } from './scale.ts'

/** A link fault that at least one end does not learn of. */
export interface LinkFault {
  readonly name: string
  /** The ingester learns of it at once and may not report anything. */
  readonly isTold?: true
  begin(link: FaultProxy): void
  end(link: FaultProxy): void
}

/** How long a fault lasts: the time within which the ingester must notice it. */
export const FAULT_MS = 10_000

const FORGOTTEN: readonly LinkFault[] = [
  {
    name: 'black hole, its connections never come back',
    begin: (link) => link.set({ kind: 'silent' }),
    end: (link) => link.heal('forgotten'),
  },
  {
    name: 'silent towards the server',
    begin: (link) => link.set({ kind: 'silent', direction: 'toServer' }),
    end: (link) => link.heal('forgotten'),
  },
  {
    name: 'half open, the server gone',
    begin: (link) => link.leaveHalfOpen('client'),
    end: () => {},
  },
]

const OTHERS: readonly LinkFault[] = [
  {
    name: 'black hole, everything comes late',
    begin: (link) => link.set({ kind: 'silent' }),
    end: (link) => link.heal(),
  },
  {
    name: 'silent towards the ingester',
    begin: (link) => link.set({ kind: 'silent', direction: 'toClient' }),
    end: (link) => link.heal('forgotten'),
  },
  {
    name: 'half open, the ingester gone',
    isTold: true,
    begin: (link) => link.leaveHalfOpen('server'),
    end: () => {},
  },
]

export const LINK_FAULTS: readonly LinkFault[] = scale([...FORGOTTEN, ...OTHERS], FORGOTTEN)
