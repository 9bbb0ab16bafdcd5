import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { type ReadableWritablePair, TextDecoderStream } from 'node:stream/web'
import { elementBytes } from '@qs-telemetry/protocol'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { fail } from './exit.ts'

export interface EventOptions {
  readonly device?: string
  readonly type?: string
  readonly value?: string
  readonly unit?: string
  readonly meta?: string
}

/** An event as typed, without validation: the ingester does that. */
export interface InputEvent {
  /** A JSON object, with its original digits and repeated keys. */
  readonly json: string
  /** Defaults to `--device`. */
  readonly deviceId: unknown
  readonly eventId: unknown
}

/**
 * The events of `qs publish`: from options, from the argument, or from standard input line by line.
 *
 * @throws QsError that names the line that is not JSON
 */
export async function* inputEvents(
  json: string | undefined,
  options: EventOptions,
): AsyncGenerator<InputEvent> {
  if (options.type !== undefined) yield eventFrom(options)
  else if (json !== undefined && json !== '-') yield* parse(json, 'the argument', options)
  else {
    let line = 0
    for await (const text of createInterface({ input: stdinText(), crlfDelay: Number.POSITIVE_INFINITY })) {
      line++
      if (text.trim() !== '') yield* parse(text, `line ${line}`, options)
    }
  }
}

/** Standard input as text; invalid UTF-8 is an error and not silently replaced. */
function stdinText(): Readable {
  const decoder = new TextDecoderStream('utf-8', { fatal: true })
  const text = Readable.toWeb(process.stdin).pipeThrough(decoder as ReadableWritablePair)
  return Readable.fromWeb(text).on('error', () => {
    fail(new QsError('INVALID_INPUT', 'Standard input is not UTF-8'))
  })
}

function eventFrom({ device, type, value, unit, meta }: EventOptions): InputEvent {
  if (device === undefined) throw new QsError('WRONG_USAGE', '--type also needs --device')
  if (meta !== undefined) parseJson(meta, '--meta')
  const members = [
    `"event_type":${JSON.stringify(type)}`,
    ...(value !== undefined ? [`"value":${valueJson(value)}`] : []),
    ...(unit !== undefined ? [`"unit":${JSON.stringify(unit)}`] : []),
    ...(meta !== undefined ? [`"meta":${meta}`] : []),
  ]
  return { json: `{${members.join(',')}}`, deviceId: device, eventId: undefined }
}

/** A number keeps its digits if they are valid JSON. */
function valueJson(text: string): string {
  if (text === 'true' || text === 'false') return text
  if (text.trim() === '' || !Number.isFinite(Number(text))) return JSON.stringify(text)
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? text : JSON.stringify(Number(text))
}

function* parse(text: string, where: string, { device }: EventOptions): Generator<InputEvent> {
  const parsed = parseJson(text, where)
  const texts = Array.isArray(parsed) ? elementBytes(Buffer.from(text)).map(String) : [text]
  for (const [index, event] of (Array.isArray(parsed) ? parsed : [parsed]).entries()) {
    if (typeof event !== 'object' || event === null || Array.isArray(event)) {
      throw new QsError('INVALID_INPUT', `${where} is not an event: ${JSON.stringify(event)}`)
    }
    const { device_id: deviceId = device, event_id: eventId } = event as Readonly<Record<string, unknown>>
    yield { json: texts[index] as string, deviceId, eventId }
  }
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new QsError('INVALID_INPUT', `${where} is not JSON: ${reasonOf(error)}`)
  }
}
