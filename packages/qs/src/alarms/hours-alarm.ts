import type { Alarm } from './alarm.ts'

/** The next comparison of the same series may be hours away, so the alarm is shown for an hour. */
export const HOURS_SHOWN_MS = 60 * 60_000

export interface DifferingHours {
  readonly deviceId: string
  readonly eventType: string
  readonly hours: number
  readonly atMs: number
}

/** Numbers by the hour differed from their events. They are already corrected when the alarm is raised. */
export function hoursAlarm(latest: () => DifferingHours | null): Alarm {
  return {
    name: 'hours_differ',
    check: (nowMs) => {
      const differing = latest()
      if (differing === null || nowMs - differing.atMs > HOURS_SHOWN_MS) return null
      const { deviceId, eventType, hours } = differing
      const series = `${JSON.stringify(deviceId.slice(0, 128))}, ${JSON.stringify(eventType.slice(0, 128))}`
      return (
        `${hours === 1 ? '1 hour' : `${hours} hours`} of event_hours differed from the events, the latest of ${series}. ` +
        'The hours have been recounted, so charts of months are correct. Manual changes to events cause this, and a clock of ' +
        'this host minutes behind that of PostgreSQL (qs doctor). Otherwise it is a bug: please report it with the log'
      )
    },
  }
}
