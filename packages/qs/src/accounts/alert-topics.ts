/** Where a channel of kind mqtt publishes unless its settings say otherwise. */
export const ALERTS_TOPIC = 'qs/v1/alerts'

/** What the ingester publishes about alerts, as filters for its account. */
export const ALERT_TOPICS = {
  published: [ALERTS_TOPIC, `${ALERTS_TOPIC}/#`, 'homeassistant/binary_sensor/+/config'],
  read: [`${ALERTS_TOPIC}/rules/+`],
} as const

/** Ours, so not a misspelt topic of a device. */
export function isAlertTopic(topic: string): boolean {
  return (
    topic === ALERTS_TOPIC ||
    topic.startsWith(`${ALERTS_TOPIC}/`) ||
    topic.startsWith('homeassistant/binary_sensor/qs_alert_')
  )
}
