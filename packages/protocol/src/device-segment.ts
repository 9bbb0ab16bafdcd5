/** Segments that the URL standard removes from a path, also as `%2e%2e`, with any number of escapes before them. */
const DOTS = /^~*\.{1,2}$/

/**
 * A device id as a segment of a path, in the pages and in the API. A segment `.` or `..` never reaches the server
 * (RFC 3986, 5.2.4), so `..` becomes `~..`, and `~..` becomes `~~..`. Every other id is only percent-encoded.
 */
export function deviceSegment(deviceId: string): string {
  return encodeURIComponent(DOTS.test(deviceId) ? `~${deviceId}` : deviceId)
}

/** The device id of such a segment, after percent-decoding. */
export function deviceOfSegment(segment: string): string {
  return segment.startsWith('~') && DOTS.test(segment) ? segment.slice(1) : segment
}
