import { isUtf8 } from 'node:buffer'
import type { Command } from 'commander'
import pc from 'picocolors'
import { loadConfig } from '../config/load.ts'
import { withClient } from '../database/open-client.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import type { StoredLetter } from '../letters/find-letter.ts'
import { type HistoryEntry, letterHistory } from '../letters/letter-history.ts'
import { advice } from '../letters/letter-problems.ts'
import { storedEvent } from '../letters/stored-event.ts'
import { oneLine, visible } from '../telemetry/visible.ts'
import { letterId, letterOf } from './deadletter-filter.ts'

interface Options {
  readonly hex?: true
  readonly json?: true
}

export function registerShow(deadLetter: Command): void {
  deadLetter
    .command('show')
    .description('show a dead letter: its bytes, the reason, what to do and its history')
    .argument('<id>', 'id from qs deadletter ls')
    .option('--hex', 'show the payload in hex')
    .option('--json', 'print it as JSON; payload is text, or base64 with "payload_encoding":"base64"')
    .action(async (text: string, options: Options) => {
      const id = letterId(text)
      const config = loadConfig()
      await withClient(findDatabaseUrl(config), async (database) => {
        const letter = await letterOf(database, id)
        const history = await letterHistory(database, id)
        const stored = await storedEvent(database, letter, config)
        if (options.json) console.log(toJson(letter, history, stored))
        else print(letter, { history, stored, hex: options.hex ?? false })
      })
    })
}

function encode(payload: Buffer) {
  return isUtf8(payload)
    ? { payload: payload.toString() }
    : { payload: payload.toString('base64'), payload_encoding: 'base64' }
}

function toJson(letter: StoredLetter, history: readonly HistoryEntry[], stored: string | null): string {
  const { payload, ...rest } = letter
  return JSON.stringify({
    ...rest,
    ...encode(payload),
    advice: advice(letter.code),
    storedEvent: stored === null ? null : (JSON.parse(stored) as unknown),
    history: history.map(({ payload: sent, ...entry }) => ({ ...entry, ...encode(sent) })),
  })
}

interface Shown {
  readonly history: readonly HistoryEntry[]
  readonly stored: string | null
  readonly hex: boolean
}

function print(letter: StoredLetter, { history, stored, hex }: Shown): void {
  const rows = {
    'dead letter': letter.id,
    code: pc.red(letter.code),
    error: oneLine(letter.error, 2_000),
    'what to do': advice(letter.code),
    received: letter.receivedAt,
    topic: oneLine(letter.topic, 1_000),
    device: oneLine(letter.deviceId ?? '– (none in the topic)', 1_000),
    event: oneLine(letter.eventId ?? '– (no readable event_id)', 1_000),
  }
  for (const [name, value] of Object.entries(rows)) console.log(`${pc.bold(name.padEnd(12))} ${value}`)
  console.log(pc.bold('trace'))
  console.log(pc.dim(letter.trace.split('\n').map(indent).join('\n')))
  const isText = isUtf8(letter.payload) && !hex
  console.log(pc.bold(`payload, ${letter.payload.length} bytes${isText ? '' : ', hex'}`))
  console.log(
    isText ? letter.payload.toString().split('\n').map(indent).join('\n') : hexLines(letter.payload),
  )
  if (stored !== null) console.log(`${pc.bold('stored under the same event_id')}\n${indent(stored)}`)
  if (history.length > 0) console.log(pc.bold('history'))
  for (const { at, action, outcome, code, detail, payload, deviceId } of history) {
    const facts = [outcome, code, deviceId && `device ${deviceId}`, detail].filter(Boolean).join(', ')
    console.log(`  ${at} ${action}${facts === '' ? '' : `: ${oneLine(facts, 500)}`}`)
    console.log(pc.dim(`    ${oneLine(payload.toString())}`))
  }
}

function indent(line: string): string {
  return `  ${visible(line)}`
}

/** 32 bytes per line, up to 2 KiB. */
function hexLines(payload: Buffer): string {
  const shown = payload.subarray(0, 2_048)
  const lines = Array.from({ length: Math.ceil(shown.length / 32) }, (_, n) =>
    shown.subarray(n * 32, n * 32 + 32).toString('hex'),
  )
  const rest = payload.length - shown.length
  return [
    ...lines.map((line) => `  ${line}`),
    ...(rest > 0 ? [`  … ${rest} more bytes; --json prints all of them`] : []),
  ].join('\n')
}
