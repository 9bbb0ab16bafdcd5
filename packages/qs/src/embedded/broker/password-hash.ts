import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/** Base64. */
export interface PasswordHash {
  readonly salt: string
  readonly hash: string
}

const derive = promisify<Buffer, Buffer, number, { N: number }, Buffer>(scrypt)

/**
 * About 10 ms and 4 MB on a small machine, on one of four threads. Generated passwords have 128 bits, for which any
 * cost is enough; a higher one would delay the logins of a fleet after a restart.
 */
const COST = { N: 2 ** 12 }
const HASH_BYTES = 32

export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(16)
  const hash = await derive(Buffer.from(password), salt, HASH_BYTES, COST)
  return { salt: salt.toString('base64'), hash: hash.toString('base64') }
}

/** Compares in constant time. */
export async function isPassword({ salt, hash }: PasswordHash, password: Buffer): Promise<boolean> {
  const derived = await derive(password, Buffer.from(salt, 'base64'), HASH_BYTES, COST)
  return timingSafeEqual(derived, Buffer.from(hash, 'base64'))
}

/** A hash that no password matches, so that a login to an unknown account takes as long. */
export const NOBODY: PasswordHash = {
  salt: randomBytes(16).toString('base64'),
  hash: randomBytes(HASH_BYTES).toString('base64'),
}
