import type { CopyQuery } from './connection.ts'
import { EVENT_COLUMNS, type EventRow } from './event-rows.ts'

/**
 * Half the work of an INSERT, for PostgreSQL as for us: nothing is parsed as JSON, and no id is looked up before it
 * is stored. The price is that one row that cannot be stored fails them all, and so does an id that is there already.
 *
 * @param rows sorted by event_id, so that two writers with the same ids wait and do not deadlock
 */
export function copyEvents(rows: readonly EventRow[]): CopyQuery {
  return { name: 'copy-events', text: SQL, data: eventRowsText(rows) }
}

const SQL = `copy events (${EVENT_COLUMNS}) from stdin`

function eventRowsText(rows: readonly EventRow[]): string {
  let text = ''
  for (const { event: e, tsServer } of rows) {
    text += `${escaped(e.eventId)}\t${escaped(e.deviceId)}\t${escaped(e.eventType)}\t`
    text += e.valueNum === null ? NULL : Object.is(e.valueNum, -0) ? '-0' : e.valueNum
    text += `\t${field(e.valueText)}\t${field(e.unit)}\t${e.ts}\t${e.tsDevice ?? NULL}\t${e.tsDeviceLocal ?? NULL}`
    text += `\t${field(e.tsDeviceRaw)}\t${tsServer}\t${e.schema}\t${field(e.meta)}\n`
  }
  return text
}

const NULL = '\\N'

function field(text: string | null): string {
  return text === null ? NULL : escaped(text)
}

function escaped(text: string): string {
  return SPECIAL.test(text) ? text.replace(EACH_SPECIAL, (character) => ESCAPES[character] as string) : text
}

const SPECIAL = /[\\\t\n\r]/
const EACH_SPECIAL = /[\\\t\n\r]/g
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
