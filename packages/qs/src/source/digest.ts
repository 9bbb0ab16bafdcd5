import { createHash } from 'node:crypto'

/** Identifies the content of a PUBLISH; packet identifier and DUP flag are not content. */
export function digestOf({ topic, payload }: { readonly topic: string; readonly payload: Buffer }): string {
  return createHash('sha1').update(topic).update('\0').update(payload).digest('base64')
}
