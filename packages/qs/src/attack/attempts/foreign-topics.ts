import { type Attack, fell, held, skipped } from '../attack.ts'
import { converse } from '../conversation.ts'
import { publish, subscribe } from '../peer.ts'

/** Topics that a board's account must not reach [docs/devices.md]. */
export const foreignTopics: Attack = {
  name: 'foreign-topics',
  about: 'A board reads and writes topics of others',
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
    const [foreign, own] = [`${attacker.deviceId}-as-another`, `${victim.deviceId}-as-itself`]
    const [owner, writer] = [await converse(victim), await attacker.connect()]
    try {
      writer.send(publish(victim.eventsTopic, victim.event(foreign)))
      // A broker answers with PUBACK, which may come before COMMIT, or closes the connection.
      await writer.next('puback').catch(() => null)
      // If the broker accepted the foreign event, it precedes this one: its device ack comes first, or its row exists.
      const [heard] = await owner.tell(victim.event(own))
      const { rowCount } = await database.query('select 1 from events where event_id = $1', [foreign])
      if (heard?.event_id !== own || rowCount !== 0)
        return fell('it may publish events of another device', 'Run qs provision, and see docs/devices.md')
      return held('every subscription and the foreign event were refused')
    } finally {
      writer.destroy()
      owner.peer.destroy()
    }
  },
}
