import { PARITY_CASES } from '../parity/all-cases.ts'
import type { ParityCase } from '../parity/parity-case.ts'

/** MQTT 3.1.1 (4) and 5. */
export type Standard = ParityCase['versions'][number]

/**
 * A normative statement that concerns a server. A text alone is what it asks, and the broker does it; the tests that
 * show it are the parity cases with its identifier.
 */
export type Statement =
  | string
  | {
      readonly asks: string
      /** Other tests that show it, as `file: name`. */
      readonly shownBy: readonly string[]
    }
  | {
      readonly asks: string
      /** Why the condition of the statement never holds for this broker. */
      readonly never: string
    }
  | {
      readonly asks: string
      readonly notMet: string
    }

/** By the number in its identifier, [MQTT-3.1.2-4] being 3.1.2-4. */
export type Statements = Readonly<Record<string, Statement>>

/** Identifiers in the clause of a case, for one of the standards: `[…], 3.1.1; […], 5; […]` for both. */
export function clausesOf({ clause, versions }: ParityCase, standard: Standard): readonly string[] {
  if (!versions.includes(standard)) return []
  const other = standard === 5 ? ', 3.1.1' : ', 5'
  const parts = clause.split(/;\s*/).filter((part) => !part.endsWith(other))
  return parts.flatMap((part) =>
    [...part.matchAll(/\[MQTT-([\d.]+-\d+)\]/g)].map(([, number]) => number ?? ''),
  )
}

/** The names of the parity cases that show a statement. */
export function casesOf(number: string, standard: Standard): readonly string[] {
  const all = Object.values(PARITY_CASES).flat()
  const names = all.filter((each) => clausesOf(each, standard).includes(number)).map(({ name }) => name)
  return [...new Set(names)]
}
