import { createHash } from 'node:crypto'

/** Tells messages apart without keeping them. A topic contains no NUL. */
export function messageDigest(topic: string, payload: Buffer): string {
  return createHash('sha256').update(`${topic}\0`).update(payload).digest('base64')
}
