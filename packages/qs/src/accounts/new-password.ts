import { randomBytes } from 'node:crypto'

/** 128 bits, in characters that need no escaping in C, a shell or a URL. */
export function newPassword(): string {
  return randomBytes(16).toString('hex')
}
