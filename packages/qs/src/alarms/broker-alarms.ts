import type { Alarm } from './alarm.ts'

/** How long an incident of the embedded broker is shown, for operators who look only now and then. */
const SHOWN_MS = 10 * 60_000

interface DeafReading {
  readonly client: string
  readonly atMs: number
  readonly dropped: number
}

/** A client did not read its messages, so the broker closed its connection. */
export function deafClientAlarm(latest: () => DeafReading | null): Alarm {
  return {
    name: 'deaf_client',
    check: (nowMs) => {
      const deaf = latest()
      if (deaf === null || nowMs - deaf.atMs > SHOWN_MS) return null
      return `client ${JSON.stringify(deaf.client)} did not read its messages, so the broker closed its connection and dropped ${deaf.dropped} QoS 0 messages for it. It hangs, or its network is too slow: restart it, or narrow its subscriptions`
    },
  }
}

interface RefusedReadings {
  readonly refused: number
  readonly latest: { readonly address: string; readonly atMs: number; readonly setting: string } | null
}

/** Connections were refused because there were too many. */
export function connectionsAlarm(readings: () => RefusedReadings): Alarm {
  return {
    name: 'connections_refused',
    check: (nowMs) => {
      const { refused, latest } = readings()
      if (latest === null || nowMs - latest.atMs > SHOWN_MS) return null
      return `the broker has refused ${refused} connections since its start, the latest from ${latest.address}: ${latest.setting} is reached. Raise it if these are your boards; otherwise find out what connects from there`
    },
  }
}

interface SessionReadings {
  readonly refused: number
  readonly latest: { readonly client: string; readonly account: string; readonly atMs: number } | null
}

/** Durable sessions were refused because an account had too many. */
export function sessionsAlarm(readings: () => SessionReadings): Alarm {
  return {
    name: 'sessions_refused',
    check: (nowMs) => {
      const { refused, latest } = readings()
      if (latest === null || nowMs - latest.atMs > SHOWN_MS) return null
      const who = latest.account === '' ? 'the operator' : JSON.stringify(latest.account)
      return `the broker has refused ${refused} durable sessions since its start, the latest to client ${JSON.stringify(latest.client)} of ${who}: the account has reached MQTT_MAX_SESSIONS_PER_ACCOUNT. Raise it if these are your boards; otherwise look for a client that uses a new client id on each connect`
    },
  }
}

interface UnretainedReadings {
  readonly count: number
  readonly latest: { readonly client: string | null; readonly topic: string; readonly atMs: number } | null
}

/** Messages were not retained because the store of retained messages is full. */
export function retainedAlarm(readings: () => UnretainedReadings): Alarm {
  return {
    name: 'retained_full',
    check: (nowMs) => {
      const { count, latest } = readings()
      if (latest === null || nowMs - latest.atMs > SHOWN_MS) return null
      return `the broker has not retained ${count} messages since its start, the latest of client ${JSON.stringify(latest.client ?? '')} on ${JSON.stringify(latest.topic)}: it retains at most 100,000 messages and 64 MiB. No event is lost, but a new subscriber does not get them. Look for a client that retains each message on another topic; an empty message with the retain flag removes one`
    },
  }
}
