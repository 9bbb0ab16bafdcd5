/** Bounds the depth of the topic tree. */
const MAX_LEVELS = 100

/** [MQTT-3.3.2-2], [MQTT-4.7.3-1], [MQTT-4.7.3-2] */
export function isTopicName(topic: string): boolean {
  if (topic === '' || /[+#\0]/.test(topic)) return false
  return topic.split('/').length <= MAX_LEVELS
}

/** Topics of the broker itself [4.7.2]. */
export function isReserved(topic: string): boolean {
  return topic.startsWith('$SYS/')
}

/** [MQTT-4.7.1-1], [MQTT-4.7.1-2], [MQTT-4.7.3-1], [MQTT-4.7.3-2] */
export function isTopicFilter(filter: string): boolean {
  const levels = filter.split('/')
  if (filter === '' || filter.includes('\0') || levels.length > MAX_LEVELS) return false
  return levels.every((level, index) => {
    if (level === '#') return index === levels.length - 1
    return level === '+' || !/[+#]/.test(level)
  })
}

export interface SharedFilter {
  readonly group: string
  readonly filter: string
}

/**
 * `$share/{group}/{filter}` [MQTT-4.8.2-1], [MQTT-4.8.2-2].
 *
 * @returns null for any other filter; 'invalid' if it begins like one and is not
 */
export function sharedFilter(filter: string): SharedFilter | null | 'invalid' {
  if (!filter.startsWith('$share/')) return null
  const groupEnd = filter.indexOf('/', '$share/'.length)
  const group = filter.slice('$share/'.length, groupEnd)
  const bare = filter.slice(groupEnd + 1)
  if (groupEnd < 0 || group === '' || /[+#]/.test(group) || !isTopicFilter(bare)) return 'invalid'
  return { group, filter: bare }
}
