import { createHash, timingSafeEqual } from 'node:crypto'

export interface Credentials {
  readonly username: string
  readonly password: string
}

/**
 * Compares in constant time: digests, so that not even the length of the correct password can be measured, and always
 * both, so that a correct username cannot be distinguished from a wrong one.
 */
export function matches(
  expected: Credentials,
  username: string | undefined,
  password: Buffer | undefined,
): boolean {
  const sameName = same(expected.username, username ?? '')
  const samePassword = same(expected.password, password ?? '')
  return sameName && samePassword
}

function same(a: string, b: string | Buffer): boolean {
  return timingSafeEqual(digest(a), digest(b))
}

function digest(secret: string | Buffer): Buffer {
  return createHash('sha256').update(secret).digest()
}
