import { type Attack, fell, held } from '../attack.ts'
import { converse, endsOf } from '../conversation.ts'

const SECRET = 'only-the-attacker-knows'

/** An id belongs to the device that used it first: another one must learn nothing, and its bytes must be kept. */
export const idOfAnother: Attack = {
  name: 'id-of-another',
  about: 'A board uses an event id before the board it belongs to',
  run: async ({ attacker, victim, database }) => {
    const id = `${victim.deviceId}-taken`
    const [thief, owner] = [await converse(attacker), await converse(victim)]
    try {
      const taken = endsOf(await thief.tell(attacker.event(id, { value: SECRET })))
      const own = await owner.tell(victim.event(id, { value: 'mine' }))
      if (taken !== 'stored' && endsOf(own) === 'stored') return held(`refused (${taken})`)
      if (JSON.stringify(own).includes(SECRET) || JSON.stringify(own).includes(attacker.deviceId))
        return fell('the device ack reveals the event of another board', 'Update the ingester')
      const { rowCount } = await database.query(
        'select 1 from dead_letters where event_id = $1 and device_id = $2',
        [id, victim.deviceId],
      )
      if (rowCount !== 1)
        return fell('the refused event was not kept as a dead letter', 'Update the ingester')
      return held(
        `${endsOf(own)}, and the bytes are kept; EVENT_ID_RULE=device would refuse the theft itself`,
      )
    } finally {
      thief.peer.destroy()
      owner.peer.destroy()
    }
  },
}
