import { exactDigits } from '../decode/exact-numbers.ts'
import { QsError } from '../errors/qs-error.ts'
import type { Columns } from './source-record.ts'

/** What a field of an event is made of. */
export interface Template {
  /** The columns that it reads. */
  readonly columns: readonly string[]
  /** undefined if a column is missing or empty. A lone column keeps its type. */
  read(columns: Columns): unknown
}

const PLACE = /\{([^{}]*)\}/g

/**
 * A text with columns in braces: `{host}`, `home-{room}`, or a constant.
 *
 * @throws QsError for a brace without its pair
 */
export function template(text: string): Template {
  const columns = Array.from(text.matchAll(PLACE), ([, name]) => name as string)
  if (/[{}]/.test(text.replace(PLACE, '')))
    throw new QsError('WRONG_USAGE', `${JSON.stringify(text)} has a brace without its pair`)
  const [only] = columns
  if (only !== undefined && text === `{${only}}`) return { columns, read: (from) => columnOf(from, only) }
  return {
    columns,
    read: (from) => {
      let isComplete = true
      const made = text.replace(PLACE, (_, name: string) => {
        const value = columnOf(from, name)
        isComplete &&= value !== undefined
        return textOf(value)
      })
      return isComplete ? made : undefined
    },
  }
}

/** The first of these columns that is there. */
export function firstOf(...columns: readonly string[]): Template {
  return {
    columns,
    read: (from) => {
      for (const name of columns) {
        const value = columnOf(from, name)
        if (value !== undefined) return value
      }
      return undefined
    },
  }
}

function columnOf(columns: Columns, name: string): unknown {
  const value = Object.hasOwn(columns, name) ? columns[name] : undefined
  return value === null || value === '' ? undefined : value
}

/** A number as it was written. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return exactDigits(value) ?? value
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
