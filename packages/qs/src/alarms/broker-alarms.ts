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

interface SessionReadings {
  readonly refused: number
  readonly latest: { readonly client: string; readonly account: string; readonly atMs: number } | null
}

/** Lasting sessions were refused, as an account had too many. */
export function sessionsAlarm(readings: () => SessionReadings): Alarm {
  return {
    name: 'sessions_refused',
    check: (nowMs) => {
      const { refused, latest } = readings()
      if (latest === null || nowMs - latest.atMs > SHOWN_MS) return null
      const who = latest.account === '' ? 'the operator' : JSON.stringify(latest.account)
      return `the broker has refused ${refused} lasting sessions since its start, the latest to client ${JSON.stringify(latest.client)} of ${who}: the account has as many as MQTT_MAX_SESSIONS_PER_ACCOUNT allows. Raise it where these are boards of yours; otherwise look for a client that takes another client id at each connect`
    },
  }
}
