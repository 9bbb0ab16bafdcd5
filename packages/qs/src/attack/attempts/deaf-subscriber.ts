import { setTimeout as delay } from 'node:timers/promises'
import { type Attack, held } from '../attack.ts'
import { publish, subscribe } from '../peer.ts'

/** About 130 KiB of device acks per message, more than 8 MiB in total. */
const [EVENTS, MESSAGES, ID_BYTES] = [500, 64, 100]
const PACE_MS = 60

/** The broker must neither queue unread messages without limit nor make others wait. */
export const deafSubscriber: Attack = {
  name: 'deaf-subscriber',
  about: 'A board subscribes, causes many messages to itself, and reads none of them',
  run: async ({ attacker, hasAccounts }) => {
    const peer = await attacker.connect()
    try {
      peer.send(subscribe(hasAccounts ? attacker.acksTopic : '#', 1))
      await peer.next('suback')
      peer.pause()
      // The same array every time: one row per event, and only duplicates after that.
      const events = Array.from({ length: EVENTS }, (_, index) =>
        attacker.event(`${attacker.deviceId}-deaf-${index}-`.padEnd(ID_BYTES, 'x')),
      )
      const payload = `[${events.join(',')}]`
      let sent = 0
      for (; sent < MESSAGES && !peer.isClosed; sent++) {
        peer.send(publish(attacker.eventsTopic, payload, 1, sent + 1))
        await delay(PACE_MS)
      }
      return held(peer.isClosed ? `the broker disconnected it after ${sent} messages` : `${sent} messages`)
    } finally {
      peer.destroy()
    }
  },
}
