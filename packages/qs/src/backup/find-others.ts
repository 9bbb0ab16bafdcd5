import type pg from 'pg'
import { QsError } from '../errors/qs-error.ts'
import { schemaObjects } from './schema-objects.ts'

interface OthersOptions {
  readonly schema: string
  readonly shipped: ReadonlySet<string>
  /** Whether rows may be left out. */
  readonly leaveOut: boolean
}

/** The names of the objects of one kind. */
export function namesOf(objects: Iterable<string>, kind: string): readonly string[] {
  return [...objects].filter((each) => each.startsWith(`${kind} `)).map((each) => each.slice(kind.length + 1))
}

/**
 * What somebody added to the schema of qs, and a backup does not contain.
 *
 * @throws QsError if these are rows, which must not be lost silently
 */
export async function findOthers(
  client: pg.Client,
  { schema, shipped, leaveOut }: OthersOptions,
): Promise<readonly string[]> {
  const others = [...(await schemaObjects(client, schema))].filter((each) => !shipped.has(each)).sort()
  const tables = namesOf(others, 'table')
  const isPartOfTable = (each: string) => tables.some((table) => each.startsWith(`column ${table}.`))
  const named = others.filter((each) => !isPartOfTable(each))
  const holdRows = named.filter((each) => /^(table|column) /.test(each))
  if (holdRows.length === 0 || leaveOut) return named
  throw new QsError(
    'BACKUP_LACKS_OTHERS',
    `The schema ${schema} has rows that qs did not create: ${holdRows.join(', ')}`,
  )
}
