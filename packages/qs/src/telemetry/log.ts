import { type DestinationStream, type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import { visibleLines } from './visible.ts'

export type Log = Logger

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/**
 * The log: JSON lines, or readable lines if standard error is a terminal.
 *
 * WARN: odd, nothing lost. ERROR: data is lost or an operator is needed. Never one line per event.
 */
export function createLog(level: LogLevel): Log {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, openStream())
}

/** Lines contain client ids, topics and messages of other servers: none of these may control a terminal. */
function openStream(): DestinationStream {
  if (!process.stderr.isTTY) {
    const lines = pino.destination(2)
    return { write: (line) => lines.write(visibleLines(line)) }
  }
  const lines = pretty({
    destination: 2,
    ignore: 'pid,hostname,stage',
    translateTime: 'SYS:HH:MM:ss',
    messageFormat: '{if stage}{stage}: {end}{msg}',
  })
  // pino-pretty decodes JSON escapes, so the texts are escaped first.
  const visibleText = (_: string, value: unknown) => (typeof value === 'string' ? visibleLines(value) : value)
  return { write: (line) => lines.write(`${JSON.stringify(JSON.parse(line, visibleText))}\n`) }
}
