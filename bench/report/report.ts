import type { Run } from '../runs/measures.ts'
import type { Scenario, SubjectName } from '../scenario.ts'
import type { Machine } from './machine.ts'

/** All that a run of the bench found out; what `--json` writes, and what tables and charts are made of. */
export interface Report {
  readonly date: string
  /** The command that makes it again. */
  readonly command: string
  readonly isQuick: boolean
  readonly rounds: number
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  /** What makes a COMMIT durable, as PostgreSQL says it. */
  readonly durability: Readonly<Record<string, string>>
  /** Settings of the ingester that are not the defaults. */
  readonly settings: Readonly<Record<string, string>>
  /** Of those who were measured. */
  readonly subjects: readonly SubjectFacts[]
  /** What was not measured, and why, in words. */
  readonly missing: readonly string[]
  readonly scenarios: readonly Scenario[]
  readonly runs: readonly Run[]
}

export interface SubjectFacts {
  readonly name: SubjectName
  readonly title: string
  readonly guarantee: string
}
