import type { Database } from './database.ts'
import { FAULT_KINDS, type FaultKind } from './faults.ts'
import type { Ingester } from './ingester.ts'
import type { World } from './world.ts'

/** A connection to the process of the pipeline. */
export interface Breakable {
  cut(): void
  /** Only the process of the pipeline learns of it. */
  cutNear(): void
  /** Only the other end learns of it. */
  cutFar(): void
  blackHole(ms: number): void
}

/** What lies between devices and pipeline. */
export interface Network {
  isAway: boolean
  readonly links: ReadonlySet<Breakable>
  /** Breaks all connections and restores the state that the disk held. */
  restart(restore: 'all' | 'snapshot' | 'nothing'): void
  save(): void
}

export interface Stage {
  readonly network: Network
  readonly database: Database
  readonly ingesters: readonly [Ingester, ...Ingester[]]
}

/** Injects the faults of a seed, each kind at its own pace, until they are over. */
export function directFaults(world: World, stage: Stage): void {
  const { timeline, random, faults, tell } = world
  for (const kind of FAULT_KINDS) {
    const everyMs = faults.everyMs[kind]
    if (everyMs === Number.POSITIVE_INFINITY) continue
    const next = () => {
      timeline.after(-Math.log(1 - random.next()) * everyMs, () => {
        if (!faults.isOn) return
        tell?.('fault', kind)
        strike(kind, world, stage)
        next()
      })
    }
    next()
  }
}

/** Ends all faults; only their consequences remain. */
export function heal(world: World, { network, database }: Stage): void {
  world.faults.isOn = false
  network.isAway = false
  database.isAway = false
  world.tell?.('fault', 'all faults are over')
}

function strike(kind: FaultKind, world: World, { network, database, ingesters }: Stage): void {
  const { timeline, random } = world
  const onLink = (act: (link: Breakable) => void) => {
    const [first, ...others] = network.links
    if (first !== undefined) act(random.pick([first, ...others]))
  }
  const lengthMs = random.next() * random.pick([500, 5_000, 20_000])
  switch (kind) {
    case 'cut':
      return onLink((link) => link.cut())
    case 'halfOpenBroker':
      return onLink((link) => link.cutNear())
    case 'halfOpenIngester':
      return onLink((link) => link.cutFar())
    case 'blackHole':
      return onLink((link) => link.blackHole(lengthMs))
    case 'brokerAway':
      network.isAway = true
      network.restart('all')
      timeline.after(lengthMs, () => {
        network.isAway = false
      })
      return
    case 'brokerRestart':
      return network.restart('all')
    case 'brokerRollback':
      network.save()
      timeline.after(lengthMs, () => network.restart('snapshot'))
      return
    case 'sessionLost':
      return network.restart('nothing')
    case 'databaseAway':
      database.isAway = true
      database.restart()
      timeline.after(lengthMs, () => {
        database.isAway = false
      })
      return
    case 'databaseFreeze':
      return database.freezeFor(lengthMs)
    case 'databaseRestart':
      return database.restart()
    case 'databaseFailover':
      return database.failOver()
    case 'kill':
      return random.pick(ingesters).kill()
    case 'restart':
      return void random.pick(ingesters).restart()
    case 'clockJump': {
      const years = 365 * 86_400_000
      random.pick(ingesters).skewMs = random.pick([0, -3_600_000, random.next() * 5_000, 13 * years])
    }
  }
}
