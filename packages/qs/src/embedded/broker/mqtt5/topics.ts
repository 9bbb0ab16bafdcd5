/** aedes ends the connection of who goes deeper, since its topic tree cannot. */
const MAX_LEVELS = 100

/** Whether aedes takes a PUBLISH to it; `$SYS/` is its own. [MQTT-3.3.2-2], [MQTT-4.7.3-1], [MQTT-4.7.3-2] */
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

/** aedes takes `$share/group/filter` for an ordinary topic, so nothing would ever match it. */
export function isSharedSubscription(filter: string): boolean {
  return filter.startsWith('$share/')
}
