/**
 * Packet identifiers of SUBSCRIBE: the upper end, so that they differ from those of PUBLISH [MQTT-2.2.1-2], and from
 * those that a broker uses for its own messages: some confuse the two directions (mochi answers 0x91).
 */
const SUBSCRIBE_IDS = 535

export const MAX_PUBLISH_ID = 65_535 - SUBSCRIBE_IDS

/** Another identifier for each SUBSCRIBE. */
export function subscribeIds(): () => number {
  let count = 0
  return () => 65_535 - (count++ % SUBSCRIBE_IDS)
}
