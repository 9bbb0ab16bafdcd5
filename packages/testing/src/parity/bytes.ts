import type { Version } from './client.ts'

type Part = number | Uint8Array

/** A control packet with any first byte and body, also one that no library writes. */
export function packet(first: number, ...body: readonly Part[]): Buffer {
  const bytes = joined(body)
  return joined([first, ...lengthOf(bytes.length), bytes])
}

/** A string or binary data with its length. */
export function text(value: string | readonly number[]): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : Buffer.from(value)
  return joined([bytes.length >> 8, bytes.length & 0xff, bytes])
}

/** The properties of an MQTT 5 packet; nothing in 3.1.1. */
export function properties(version: Version, ...parts: readonly Part[]): Buffer {
  const bytes = joined(parts)
  return version === 5 ? joined([...lengthOf(bytes.length), bytes]) : Buffer.alloc(0)
}

export interface ConnectBytes {
  readonly name?: string
  readonly level?: number
  readonly flags?: number
  readonly properties?: readonly Part[]
  readonly payload: readonly Part[]
}

/** A CONNECT with a keep-alive of 60 s. */
export function connectBytes(version: Version, { name, level, flags, ...rest }: ConnectBytes): Buffer {
  const variable = [text(name ?? 'MQTT'), level ?? version, flags ?? 2, 0, 60]
  return packet(0x10, ...variable, properties(version, ...(rest.properties ?? [])), ...rest.payload)
}

/** Not UTF-8: a surrogate. */
export const SURROGATE = [0x61, 0xed, 0xa0, 0x80] as const

function joined(parts: readonly Part[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : part)))
}

function lengthOf(value: number): readonly number[] {
  const digit = value & 0x7f
  return value < 0x80 ? [digit] : [digit | 0x80, ...lengthOf(value >> 7)]
}
