import type { Alarm } from './alarm.ts'

/** Comparing takes hours to come round again: a person has one to see it. */
export const HOURS_SHOWN_MS = 60 * 60_000

export interface DifferingHours {
  readonly deviceId: string
  readonly eventType: string
  readonly hours: number
  readonly atMs: number
}

/** Numbers by the hour differed from their events. They are mended by the time this is said. */
export function hoursAlarm(latest: () => DifferingHours | null): Alarm {
  return {
    name: 'hours_differ',
    check: (nowMs) => {
      const differing = latest()
      if (differing === null || nowMs - differing.atMs > HOURS_SHOWN_MS) return null
      const { deviceId, eventType, hours } = differing
      const series = `${JSON.stringify(deviceId.slice(0, 128))}, ${JSON.stringify(eventType.slice(0, 128))}`
      return (
        `${hours} hours of event_hours differed from their events, the latest of ${series}. They have been counted anew, and ` +
        'charts of months are right again. Rows that somebody wrote into events do this, and so does a clock of this host that is ' +
        'minutes behind that of PostgreSQL (qs doctor). If it was neither, please report it, with the log'
      )
    },
  }
}
