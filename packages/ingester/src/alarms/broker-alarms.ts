import type { Alarm } from './alarm.ts'

/** An event of the embedded broker is shown for so long: a person may look once in a while. */
const SHOWN_MS = 10 * 60_000

interface DeafReading {
  readonly client: string
  readonly atMs: number
  readonly dropped: number
}

/** A client did not read what the broker sent, so its connection was ended. */
export function deafClientAlarm(latest: () => DeafReading | null): Alarm {
  return {
    name: 'deaf_client',
    check: (nowMs) => {
      const deaf = latest()
      if (deaf === null || nowMs - deaf.atMs > SHOWN_MS) return null
      return `client ${JSON.stringify(deaf.client)} did not read what the broker sent it, and its connection was ended; ${deaf.dropped} messages of QoS 0 passed it by. It hangs, or its network is too slow: restart it, or narrow what it subscribes to`
    },
  }
}

interface RefusedReadings {
  readonly refused: number
  readonly latest: { readonly address: string; readonly atMs: number; readonly setting: string } | null
}

/** Connections were turned away, as there were too many. */
export function connectionsAlarm(readings: () => RefusedReadings): Alarm {
  return {
    name: 'connections_refused',
    check: (nowMs) => {
      const { refused, latest } = readings()
      if (latest === null || nowMs - latest.atMs > SHOWN_MS) return null
      return `the broker has turned away ${refused} connections since its start, the latest from ${latest.address}: there are as many as ${latest.setting} allows. Raise it where these are boards of yours; otherwise look for what connects from there`
    },
  }
}
