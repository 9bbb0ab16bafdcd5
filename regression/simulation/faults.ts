import type { Random } from './random.ts'

/**
 * Which faults a seed has, and how often. Each seed has only some kinds: a rare fault shows in an otherwise healthy
 * world, and two kinds together show what a mixture of all would hide.
 */
export interface Faults {
  /** Once false, no more faults happen. */
  isOn: boolean
  readonly latencyMs: number
  readonly splitChance: number
  /** Mean time between two faults of a kind; Infinity if the seed has none. */
  readonly everyMs: Readonly<Record<FaultKind, number>>
  readonly statement: Readonly<Record<StatementFault, number>>
  readonly slowStatementMs: number
  readonly deviceLoss: number
  readonly deviceDouble: number
  readonly ackLoss: number
}

export const FAULT_KINDS = [
  'cut',
  'halfOpenBroker',
  'halfOpenIngester',
  'blackHole',
  'brokerAway',
  'brokerRestart',
  'brokerRollback',
  'sessionLost',
  'databaseAway',
  'databaseFreeze',
  'databaseRestart',
  'databaseFailover',
  'kill',
  'restart',
  'clockJump',
] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

export const STATEMENT_FAULTS = [
  'retryable',
  'deadlock',
  'row',
  'stop',
  'lostBefore',
  'lostAfter',
  'silent',
] as const
export type StatementFault = (typeof STATEMENT_FAULTS)[number]

export function chooseFaults(random: Random): Faults {
  const density = random.pick([0.15, 0.3, 0.6])
  const everyMs = Object.fromEntries(
    FAULT_KINDS.map((kind) => [
      kind,
      random.chance(density)
        ? random.pick([700, 3_000, 10_000]) * (0.5 + random.next())
        : Number.POSITIVE_INFINITY,
    ]),
  ) as Record<FaultKind, number>
  const statement = Object.fromEntries(
    STATEMENT_FAULTS.map((kind) => [kind, random.chance(density) ? random.next() * 0.1 : 0]),
  ) as Record<StatementFault, number>
  const sometimes = (most: number) => (random.chance(density) ? random.next() * most : 0)
  return {
    isOn: true,
    latencyMs: random.pick([0.2, 2, 30]),
    splitChance: random.pick([0, 0.1, 0.6]),
    everyMs,
    statement: { ...statement, stop: statement.stop / 10 },
    slowStatementMs: sometimes(3_000),
    deviceLoss: sometimes(0.3),
    deviceDouble: sometimes(0.3),
    ackLoss: sometimes(0.3),
  }
}
