import type { Run } from '../runs/measures.ts'
import type { Scenario, SubjectName } from '../scenario.ts'
import type { Machine } from './machine.ts'

/** The result of a bench run; written by `--json`, and the source of tables and charts. */
export interface Report {
  readonly date: string
  /** The command that produced it. */
  readonly command: string
  readonly isQuick: boolean
  readonly rounds: number
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  /** The settings that make a COMMIT durable, as reported by PostgreSQL. */
  readonly durability: Readonly<Record<string, string>>
  /** Settings of the ingester that differ from the defaults. */
  readonly settings: Readonly<Record<string, string>>
  /** The measured subjects. */
  readonly subjects: readonly SubjectFacts[]
  /** Texts about what was not measured, and why. */
  readonly missing: readonly string[]
  readonly scenarios: readonly Scenario[]
  readonly runs: readonly Run[]
}

export interface SubjectFacts {
  readonly name: SubjectName
  readonly title: string
  readonly guarantee: string
}
