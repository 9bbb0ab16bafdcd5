import { type DestinationStream, type Logger, pino } from 'pino'
import pretty from 'pino-pretty'

export type Log = Logger

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/**
 * The log. JSON lines, or lines for people where standard error is a terminal.
 *
 * WARN: odd, nothing lost. ERROR: something is lost or a person is needed. Never one line per event.
 */
export function createLog(level: LogLevel): Log {
  const stream: DestinationStream = process.stderr.isTTY
    ? pretty({
        destination: 2,
        ignore: 'pid,hostname,stage',
        translateTime: 'SYS:HH:MM:ss',
        messageFormat: '{if stage}{stage}: {end}{msg}',
      })
    : pino.destination(2)
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream)
}
