import { type Attack, fell, held, skipped } from '../attack.ts'
import { publish, subscribe } from '../peer.ts'

/** What an account of a board must not reach [docs/devices.md]. */
export const foreignTopics: Attack = {
  name: 'foreign-topics',
  about: 'A board reads and writes what belongs to others',
  run: async ({ attacker, victim, database, hasAccounts, config }) => {
    if (!hasAccounts) return skipped('the broker has no accounts: every client may do everything')
    const peer = await attacker.connect()
    try {
      const filters = [
        '#',
        '+/+/+/+',
        victim.acksTopic,
        victim.eventsTopic,
        `$share/x/${config.MQTT_EVENTS_TOPIC.topicOf('+')}`,
        '$SYS/#',
        '$CONTROL/#',
      ]
      const granted: string[] = []
      for (const [index, filter] of filters.entries()) {
        peer.send(subscribe(filter, 0, 100 + index))
        const { granted: codes } = await peer.next('suback')
        if (Number(codes[0]) < 0x80) granted.push(filter)
      }
      if (granted.length > 0)
        return fell(`it may subscribe to ${granted.join(', ')}`, 'Run qs provision, and see docs/devices.md')
    } finally {
      peer.destroy()
    }
    const eventId = `${attacker.deviceId}-as-another`
    const writer = await attacker.connect()
    writer.send(publish(victim.eventsTopic, victim.event(eventId)))
    // Brokers answer with PUBACK or end the connection; the row is what counts.
    await writer.next('puback').catch(() => null)
    writer.destroy()
    const { rowCount } = await database.query('select 1 from events where event_id = $1', [eventId])
    if (rowCount !== 0)
      return fell('it may publish events of another device', 'Run qs provision, and see docs/devices.md')
    return held('every subscription and the foreign event were refused')
  },
}
