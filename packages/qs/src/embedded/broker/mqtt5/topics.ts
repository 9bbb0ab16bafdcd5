/** aedes closes the connection for a deeper topic, a limit of its topic tree. */
const MAX_LEVELS = 100

/** Whether aedes accepts a PUBLISH to it; `$SYS/` is reserved. [MQTT-3.3.2-2], [MQTT-4.7.3-1], [MQTT-4.7.3-2] */
export function isTopicName(topic: string): boolean {
  if (topic === '' || /[+#\0]/.test(topic) || topic.startsWith('$SYS/')) return false
  return topic.split('/').length <= MAX_LEVELS
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

/** aedes treats `$share/group/filter` as an ordinary topic, which nothing would ever match. */
export function isSharedSubscription(filter: string): boolean {
  return filter.startsWith('$share/')
}
