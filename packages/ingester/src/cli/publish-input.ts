import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { type ReadableWritablePair, TextDecoderStream } from 'node:stream/web'
import { CliError, fail, WRONG_USAGE } from './exit.ts'

export interface EventOptions {
  readonly device?: string
  readonly type?: string
  readonly value?: string
  readonly unit?: string
  readonly meta?: string
}

/** An event as it was typed: anything, so that the ingester is the one that judges it. */
export type InputEvent = Readonly<Record<string, unknown>>

/**
 * The events of `qs publish`: from options, from the argument, or from standard input line by line.
 *
 * @throws CliError that names the line which is no JSON
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

/** Standard input as text; bytes that are not UTF-8 are an error and not silently another character. */
function stdinText(): Readable {
  const decoder = new TextDecoderStream('utf-8', { fatal: true })
  const text = Readable.toWeb(process.stdin).pipeThrough(decoder as ReadableWritablePair)
  return Readable.fromWeb(text).on('error', () => {
    fail(new CliError('Standard input is not UTF-8', WRONG_USAGE))
  })
}

function eventFrom({ device, type, value, unit, meta }: EventOptions): InputEvent {
  if (device === undefined) throw new CliError('--type needs --device too', WRONG_USAGE)
  return {
    device_id: device,
    event_type: type,
    ...(value !== undefined && { value: readValue(value) }),
    ...(unit !== undefined && { unit }),
    ...(meta !== undefined && { meta: parseJson(meta, '--meta') }),
  }
}

function readValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

function* parse(text: string, where: string, { device }: EventOptions): Generator<InputEvent> {
  const parsed = parseJson(text, where)
  for (const event of Array.isArray(parsed) ? parsed : [parsed]) {
    if (typeof event !== 'object' || event === null || Array.isArray(event)) {
      throw new CliError(`${where} is no event: ${JSON.stringify(event)}`, WRONG_USAGE)
    }
    yield { ...(device !== undefined && { device_id: device }), ...event }
  }
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CliError(`${where} is not JSON: ${(error as Error).message}`, WRONG_USAGE)
  }
}
