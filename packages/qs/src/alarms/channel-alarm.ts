import type { Alarm } from './alarm.ts'

/** A channel of alerts is broken: what should be told through it waits. */
export function channelAlarm(
  broken: () => readonly { readonly name: string; readonly error: string }[],
): Alarm {
  return {
    name: 'alert_channel',
    check: () => {
      const channels = broken()
      if (channels.length === 0) return null
      const each = channels.map(({ name, error }) => `${name} (${error})`).join(', ')
      return `alerts cannot be sent to ${each}. They wait and are sent once it works; mend it, then qs alert test`
    },
  }
}
