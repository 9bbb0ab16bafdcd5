/** The receive buffer of the smallest clients; PubSubClient silently drops larger packets. */
const MAX_PACKET_BYTES = 256
/** Fixed header with two length bytes, topic length, packet identifier, length of empty properties. */
const HEADER_BYTES = 3 + 2 + 2 + 1
/** The brackets of an array of one. */
const BRACKETS_BYTES = 2

/** Bytes of JSON that fit a small packet on this topic, with any QoS and MQTT version. */
export function smallPacketRoom(topic: string): number {
  return MAX_PACKET_BYTES - HEADER_BYTES - BRACKETS_BYTES - Buffer.byteLength(topic)
}

/** A text as JSON of at most `maxBytes`, truncated if necessary; null if not even `""` fits. */
export function jsonTextWithin(text: string, maxBytes: number): string | null {
  const whole = JSON.stringify(text)
  if (Buffer.byteLength(whole) <= maxBytes) return whole
  if (maxBytes < 2) return null
  let [kept, left] = ['', maxBytes - 2]
  for (const character of text) {
    const json = JSON.stringify(character).slice(1, -1)
    left -= Buffer.byteLength(json)
    if (left < 0) break
    kept += json
  }
  return `"${kept.trimEnd()}"`
}
