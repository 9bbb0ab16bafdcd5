import { likelyTopic } from './likely-topic.ts'

/** The topics of version 1 of the contract. `+` and `{device_id}` stand for the device. */
export const DEFAULT_TOPICS = {
  events: 'qs/v1/+/events',
  acks: 'qs/v1/{device_id}/acks',
  deadLetter: 'qs/v1/deadletter',
} as const

/**
 * A topic filter with exactly one `+`, the device id: `qs/v1/+/events`, `$share/group/qs/v1/+/events`.
 *
 * @throws Error when the filter has no `+`, more than one, or a `#`; the message says what to write.
 */
export class EventTopic {
  /** As it is subscribed, `$share/group/` included. */
  readonly filter: string
  readonly #prefix: string
  readonly #suffix: string

  constructor(filter: string) {
    // [MQTT-4.8.2]: $share/{ShareName}/{filter}; messages arrive under the bare topic.
    const bare = filter.replace(/^\$share\/[^/+#]+\//, '')
    const levels = bare.split('/')
    const device = levels.indexOf('+')
    const isBadShare = bare.startsWith('$share/')
    if (isBadShare || device < 0 || levels.lastIndexOf('+') !== device || /[#]|[^/]\+|\+[^/]/.test(bare)) {
      throw new RangeError(
        `"${filter}" needs exactly one + level, which stands for the device id, as in ${DEFAULT_TOPICS.events}`,
      )
    }
    this.filter = filter
    this.#prefix = levels
      .slice(0, device)
      .map((level) => `${level}/`)
      .join('')
    this.#suffix = levels
      .slice(device + 1)
      .map((level) => `/${level}`)
      .join('')
  }

  /** The device id in a topic, or null when the topic is not of this form or the id is empty. */
  deviceIdOf(topic: string): string | null {
    const end = topic.length - this.#suffix.length
    if (end <= this.#prefix.length || !topic.startsWith(this.#prefix) || !topic.endsWith(this.#suffix))
      return null
    const deviceId = topic.slice(this.#prefix.length, end)
    return deviceId.includes('/') ? null : deviceId
  }

  /** The topic of this form that a misspelt one was probably meant to be; null if none is close. */
  likelyFor(topic: string): string | null {
    return likelyTopic(topic, this.#prefix, this.#suffix)
  }

  /** The topic that a device publishes to. */
  topicOf(deviceId: string): string {
    return `${this.#prefix}${deviceId}${this.#suffix}`
  }
}

/** The device's own ack topic: the template with every `{device_id}` replaced. */
export function ackTopic(template: string, deviceId: string): string {
  return ackTopics(template)(deviceId)
}

/** `ackTopic` for many devices. */
export function ackTopics(template: string): (deviceId: string) => string {
  const parts = template.split('{device_id}')
  return (deviceId) => parts.join(deviceId)
}

/** Whether a text can be a device id, a level of a topic: not empty, no `/ + #`, no control character. */
export function isDeviceId(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what to look for
  return text.length > 0 && !/[/+#\u0000-\u001f\u007f-\u009f]/.test(text)
}

/** Whether a topic filter with `+` and `#` matches a topic [MQTT-4.7.1]; `$` topics match no leading wildcard [MQTT-4.7.2-1]. */
export function topicMatches(filter: string, topic: string): boolean {
  const levels = topic.split('/')
  const pattern = filter.split('/')
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false
  for (const [index, level] of pattern.entries()) {
    if (level === '#') return true
    if (index >= levels.length || (level !== '+' && level !== levels[index])) return false
  }
  return pattern.length === levels.length
}
