import { type Attack, fell, held } from '../attack.ts'
import { converse, endsOf } from '../conversation.ts'

/** JSON has no NaN, but faulty boards send it: one bad element costs only itself. */
export const nanInArray: Attack = {
  name: 'nan-in-array',
  about: 'A board sends a NaN between two valid events of an array',
  run: async ({ attacker }) => {
    const { peer, tell } = await converse(attacker)
    try {
      const [first, bad, last] = ['a', 'b', 'c'].map((each) =>
        attacker.event(`${attacker.deviceId}-nan-${each}`, { value: 1 }),
      )
      const acks = await tell(`[${first},${bad?.replace('"value":1', '"value":NaN')},${last}]`)
      const isNamed = acks[1]?.event_id === `${attacker.deviceId}-nan-b`
      const isRight = acks.length === 3 && isNamed && acks[1]?.status === 'rejected'
      if (isRight && acks[0]?.status === 'stored' && acks[2]?.status === 'stored') return held(endsOf(acks))
      return fell(`the elements ended as ${endsOf(acks)}`, 'Update the ingester')
    } finally {
      peer.destroy()
    }
  },
}
