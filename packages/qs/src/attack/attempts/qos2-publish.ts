import { type Attack, fell, held } from '../attack.ts'
import { converse, endsOf } from '../conversation.ts'
import { publish } from '../peer.ts'

/** [MQTT-4.3.3]: PUBREC, PUBREL, PUBCOMP; then the event gets its device ack like any other. */
export const qos2Publish: Attack = {
  name: 'qos2-publish',
  about: 'A board publishes with QoS 2',
  run: async ({ attacker }) => {
    const { peer, hear } = await converse(attacker)
    try {
      peer.send(publish(attacker.eventsTopic, attacker.event(`${attacker.deviceId}-qos2`), 2, 7))
      const acked = hear()
      await peer.next('pubrec')
      peer.send({ cmd: 'pubrel', messageId: 7 })
      await peer.next('pubcomp')
      const ends = endsOf(await acked)
      if (ends === 'stored') return held('stored')
      return fell(`the event ended as ${ends}`, 'See the log of the ingester and of the broker')
    } finally {
      peer.destroy()
    }
  },
}
