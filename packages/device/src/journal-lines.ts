import { crc32 } from 'node:zlib'
import { DeviceError } from './errors.ts'

/*
 * The lines of a journal: `crc content`, where the content of the first is the head, `{"epoch","next","settled","mark"}`;
 * that of an event its number and its JSON object; that of forgotten events a JSON array of the number of the next
 * event and their ids; and `{"mark":…}` says how many lost events were reported.
 *
 * Before 0.3 lines had neither CRC nor number: an event was its JSON object, a forgotten event its id as a JSON string.
 */

export interface JournalHead {
  /** Null: ids of later runs have another one. */
  readonly epoch: string | null
  readonly next: number
  readonly settled: number
  readonly mark: number
}

export type JournalLine =
  | { readonly head: JournalHead }
  | { readonly number: number; readonly json: string }
  | { readonly forgotten: readonly string[]; readonly next: number }
  | { readonly mark: number }

export interface NumberedEvent {
  readonly eventId: string
  readonly number: number
  readonly json: string
}

export interface JournalContent {
  readonly head: JournalHead
  readonly waiting: readonly NumberedEvent[]
}

const EMPTY: JournalHead = { epoch: null, next: 0, settled: 0, mark: 0 }

export function lineOf(line: JournalLine): string {
  const content = contentOf(line)
  return `${checksum(content)} ${content}\n`
}

function contentOf(line: JournalLine): string {
  if ('json' in line) return `${line.number} ${line.json}`
  if ('head' in line) return JSON.stringify(line.head)
  return JSON.stringify('forgotten' in line ? [line.next, ...line.forgotten] : line)
}

const checksum = (content: string) => crc32(content).toString(16).padStart(8, '0')

/**
 * What the text of a journal says. A line that is damaged is left out.
 *
 * @throws DeviceError `JOURNAL_UNREADABLE` if it is from before 0.3 and damaged before its last line
 */
export function readJournal(text: string, path: string): JournalContent {
  const lines = text.split('\n')
  const contents = lines.filter((line) => line.slice(0, 8) === checksum(line.slice(9)))
  if (contents.length === 0) return readOldJournal(lines, path)
  let head = EMPTY
  const waiting = new Map<string, NumberedEvent>()
  for (const line of contents) {
    const content = line.slice(9)
    const space = content.indexOf(' ')
    if (content.startsWith('[')) {
      const [next, ...ids] = JSON.parse(content) as readonly [number, ...string[]]
      for (const id of ids) waiting.delete(id)
      // Also those whose own line is damaged.
      head = { ...head, next: Math.max(head.next, next), settled: head.settled + ids.length }
    } else if (content.startsWith('{')) {
      head = { ...head, ...(JSON.parse(content) as Partial<JournalHead>) }
    } else {
      const [number, json] = [Number(content.slice(0, space)), content.slice(space + 1)]
      const { event_id: eventId } = JSON.parse(json) as { readonly event_id: string }
      waiting.set(eventId, { eventId, number, json })
      head = { ...head, next: Math.max(head.next, number + 1) }
    }
  }
  return { head, waiting: [...waiting.values()] }
}

function readOldJournal(lines: readonly string[], path: string): JournalContent {
  const waiting = new Map<string, string>()
  // Every whole line ends with a line feed, so the last element is empty, or torn.
  for (const [index, line] of lines.slice(0, -1).entries()) {
    const id = readOldLine(line, `${path}:${index + 1}`)
    if (line.startsWith('"')) waiting.delete(id)
    else waiting.set(id, line)
  }
  const events = [...waiting].map(([eventId, json], number) => ({ eventId, number, json }))
  return { head: { ...EMPTY, next: events.length }, waiting: events }
}

function readOldLine(line: string, where: string): string {
  try {
    const parsed: unknown = JSON.parse(line)
    const id =
      typeof parsed === 'object' && parsed !== null ? (parsed as { event_id?: unknown }).event_id : parsed
    if (typeof id === 'string') return id
  } catch (cause) {
    throw new DeviceError('JOURNAL_UNREADABLE', `${where} is damaged: repair or remove that line`, { cause })
  }
  throw new DeviceError('JOURNAL_UNREADABLE', `${where} is neither an event nor an event id`)
}
