import type { IncomingHttpHeaders } from 'node:http'

const MARK = /^(forwarded|via|x-real-ip|x-forwarded-.+)$/

/** The header that shows that a proxy forwarded this request, if any. */
export function forwardedMark(headers: IncomingHttpHeaders): string | undefined {
  return Object.keys(headers).find((name) => MARK.test(name))
}
