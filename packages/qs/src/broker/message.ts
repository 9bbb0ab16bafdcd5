import type { Qos } from '../mqtt/packet-types.ts'

/** A message between its publisher and its subscribers. */
export interface Message {
  readonly topic: string
  readonly payload: Buffer | string
  readonly qos: Qos
  readonly retain: boolean
  /** Encoded properties for MQTT 5 subscribers. */
  readonly forwarded: Buffer
  /** On the monotonic clock; null: no expiry. */
  readonly expiresAtMs: number | null
  /** Client id of the publisher, for "no local"; null: the broker itself. */
  readonly from: string | null
  /** The shared subscription of which one member gets it. */
  readonly shared?: Sharing
}

/** Another member gets a message that one has not acknowledged when its session ends [4.8.2]. */
export interface Sharing {
  deliver(message: Message): void
}

export const NO_FORWARDED = Buffer.alloc(0)

/** The message as it is kept beyond this turn: with a copy of a payload that would keep a whole read in memory. */
export function detached(message: Message): Message {
  const { payload } = message
  if (typeof payload === 'string' || payload.length === payload.buffer.byteLength) return message
  return { ...message, payload: Buffer.from(payload) }
}

export function hasExpired({ expiresAtMs }: Message, nowMs: number): boolean {
  return expiresAtMs !== null && nowMs >= expiresAtMs
}

/** The remaining interval, which counts down while the message waits [MQTT-3.3.2-6]. */
export function expirySecondsLeft({ expiresAtMs }: Message, nowMs: number): number | null {
  return expiresAtMs === null ? null : Math.max(0, Math.ceil((expiresAtMs - nowMs) / 1_000))
}
