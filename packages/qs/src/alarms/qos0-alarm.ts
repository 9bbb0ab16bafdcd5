import type { IntakeStatus } from '../pipeline/intake.ts'
import type { Alarm } from './alarm.ts'

/** How long a drop is shown. */
export const QOS0_SHOWN_MS = 10 * 60_000

/** Events with QoS 0 were dropped: nothing was committed, and there was no room for them. */
export function qos0Alarm(status: () => Pick<IntakeStatus, 'qos0Dropped'>): Alarm {
  return {
    name: 'qos0_dropped',
    check: (nowMs) => {
      const { qos0Dropped } = status()
      if (qos0Dropped === null || nowMs - qos0Dropped.atMs > QOS0_SHOWN_MS) return null
      const { count, client } = qos0Dropped
      return (
        `${count} event messages with QoS 0 were dropped since the start, the latest of client ${JSON.stringify(client)}: ` +
        'nothing was committed for a second, and its connection had used up its share. They are lost unless the device ' +
        'waits for its device ack. Find out why PostgreSQL stores nothing (qs doctor), and let devices send with QoS 1, ' +
        'which waits instead'
      )
    },
  }
}
