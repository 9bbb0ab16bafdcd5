import type { Broker } from './broker.ts'
import type { Database } from './database.ts'
import { FAULT_KINDS, type FaultKind } from './faults.ts'
import type { Ingester } from './ingester.ts'
import type { Link } from './link.ts'
import type { World } from './world.ts'

export interface Stage {
  readonly broker: Broker
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
export function heal(world: World, { broker, database }: Stage): void {
  world.faults.isOn = false
  broker.isAway = false
  database.isAway = false
  world.tell?.('fault', 'all faults are over')
}

function strike(kind: FaultKind, world: World, { broker, database, ingesters }: Stage): void {
  const { timeline, random } = world
  const onLink = (act: (link: Link) => void) => {
    const [first, ...others] = broker.links
    if (first !== undefined) act(random.pick([first, ...others]))
  }
  const lengthMs = random.next() * random.pick([500, 5_000, 20_000])
  switch (kind) {
    case 'cut':
      return onLink((link) => link.cut())
    case 'halfOpenBroker':
      return onLink((link) => link.cutIngester())
    case 'halfOpenIngester':
      return onLink((link) => link.cutBroker())
    case 'blackHole':
      return onLink((link) => link.blackHole(lengthMs))
    case 'brokerAway':
      broker.isAway = true
      broker.restart('all')
      timeline.after(lengthMs, () => {
        broker.isAway = false
      })
      return
    case 'brokerRestart':
      return broker.restart('all')
    case 'brokerRollback':
      broker.save()
      timeline.after(lengthMs, () => broker.restart('snapshot'))
      return
    case 'sessionLost':
      return broker.restart('nothing')
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
