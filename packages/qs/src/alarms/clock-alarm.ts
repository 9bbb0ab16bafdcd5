import type { Alarm } from './alarm.ts'

export interface ClockJump {
  readonly days: number
  /** The time by which ages are judged until the clock is believed, RFC 3339. */
  readonly judgedAt: string
}

/** The clock of the database went ahead by days at once, so that events would be deleted that are not old. */
export function clockAlarm(read: () => ClockJump | null): Alarm {
  return {
    name: 'clock_jump',
    check: () => {
      const jump = read()
      if (jump === null) return null
      return (
        `the clock of the database went ahead by ${Math.floor(jump.days)} days at once: it is wrong, or this machine was off. ` +
        `Old events are sealed and deleted as if it were still ${jump.judgedAt}, until the machine has run for two days. ` +
        'If the date is right, nothing is to be done. If it is wrong, correct it now (timedatectl, NTP): events that arrive ' +
        'meanwhile are stored with a wrong server time'
      )
    },
  }
}
