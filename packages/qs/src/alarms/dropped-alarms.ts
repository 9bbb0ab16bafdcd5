import type { Dropped, IntakeStatus } from '../pipeline/intake.ts'
import type { Alarm } from './alarm.ts'

/** How long a drop is shown. */
export const DROPPED_SHOWN_MS = 10 * 60_000
const ADVICE = 'Find out why PostgreSQL stores nothing (qs doctor)'

/** Events with QoS 0 were dropped: nothing was committed, and there was no room for them. */
export function qos0Alarm(status: () => Pick<IntakeStatus, 'qos0Dropped'>): Alarm {
  return alarmOf({
    name: 'qos0_dropped',
    dropped: () => status().qos0Dropped,
    what: 'event messages with QoS 0 were dropped',
    meaning:
      'nothing was committed for a second, and its connection had used up its share. They are lost unless the device ' +
      `waits for its device ack. ${ADVICE}, and let devices send with QoS 1, which waits instead`,
  })
}

/** Wills on event topics were dropped: there was no room, and their senders are gone. */
export function willAlarm(status: () => Pick<IntakeStatus, 'willsDropped'>): Alarm {
  return alarmOf({
    name: 'will_dropped',
    dropped: () => status().willsDropped,
    what: 'wills on event topics were dropped',
    meaning:
      'the pipeline was full, and the sender of a will is gone, so that nobody sends it again. They are not stored; ' +
      `their subscribers got them. ${ADVICE}`,
  })
}

interface DroppedAlarm {
  readonly name: string
  readonly dropped: () => Dropped | null
  readonly what: string
  readonly meaning: string
}

function alarmOf({ name, dropped, what, meaning }: DroppedAlarm): Alarm {
  return {
    name,
    check: (nowMs) => {
      const latest = dropped()
      if (latest === null || nowMs - latest.atMs > DROPPED_SHOWN_MS) return null
      const { count, client } = latest
      return `${count} ${what} since the start, the latest of client ${JSON.stringify(client)}: ${meaning}`
    },
  }
}
