import type { IntakeStatus } from '../pipeline/intake.ts'
import type { Alarm } from './alarm.ts'

export interface SourceReadings {
  readonly status: () => Pick<IntakeStatus, 'isConnected' | 'reconnects' | 'latestLoss' | 'quarantined'>
}

/** A broker may restart now and then, but not five times a minute. */
export const MANY_RECONNECTS = 5
export const RECONNECTS_WITHIN_MS = 60_000
/** /readyz and /metrics check too, at any rate; one sample a second is kept. */
const BETWEEN_LOOKS_MS = 1_000
/** How long a message in quarantine is shown; its dead letter stays. */
export const QUARANTINE_SHOWN_MS = 10 * 60_000

/** Connections succeed but soon end: `isConnected` may be true at every check although little flows. */
export function reconnectingAlarm({ status }: SourceReadings): Alarm {
  const seen: { readonly atMs: number; readonly reconnects: number }[] = []
  return {
    name: 'reconnecting',
    check: (nowMs) => {
      const { reconnects, latestLoss } = status()
      if (nowMs - (seen.at(-1)?.atMs ?? -Infinity) >= BETWEEN_LOOKS_MS) seen.push({ atMs: nowMs, reconnects })
      // The oldest sample stays until the next one is old enough, so that the window is never too short.
      while ((seen[1]?.atMs ?? nowMs) <= nowMs - RECONNECTS_WITHIN_MS) seen.shift()
      const count = reconnects - (seen[0]?.reconnects ?? reconnects)
      if (count < MANY_RECONNECTS) return null
      return (
        `the connection to the broker ended ${count} times within a minute; latest reason: ${latestLoss}. Events arrive ` +
        'late or not at all. Look for another client with this MQTT_CLIENT_ID or a bad network, and check the log of the broker'
      )
    },
  }
}

/** A message ended the connection each time it was delivered, and was quarantined. */
export function quarantineAlarm({ status }: SourceReadings): Alarm {
  return {
    name: 'quarantine',
    check: (nowMs) => {
      const { quarantined } = status()
      if (quarantined === null || nowMs - quarantined.atMs > QUARANTINE_SHOWN_MS) return null
      const { topic, reason, count } = quarantined
      return (
        `${count === 1 ? 'a message' : `${count} messages, the latest`} on ${topic.slice(0, 200)} ended the connection to the ` +
        `broker each time (${reason}). It is settled; if it could not be stored, it is a dead letter: qs deadletter ls`
      )
    },
  }
}
