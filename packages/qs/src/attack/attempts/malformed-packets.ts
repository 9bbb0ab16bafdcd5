import { type Attack, fell, held } from '../attack.ts'
import { framed } from '../framed.ts'

const NAME = Buffer.from([0, 1, 0x61])

/** Invalid MQTT, as the first bytes of a connection and after a valid CONNECT. */
const BEFORE: readonly (readonly [string, Buffer])[] = [
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ['noise', Buffer.from(Array.from({ length: 2_048 }, (_, index) => (index * index + 191) % 251))],
  ['a length without end', Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff])],
  ['PUBLISH before CONNECT', framed(0x30, Buffer.concat([NAME, Buffer.from('x')]))],
  ['an unknown protocol', framed(0x10, Buffer.from([0, 4, ...Buffer.from('NOPE'), 9, 2, 0, 60, 0, 0]))],
]
const AFTER: readonly (readonly [string, Buffer])[] = [
  ['QoS 3 [MQTT-3.3.1-4]', framed(0x36, Buffer.concat([NAME, Buffer.from([0, 1, 0x78])]))],
  [
    'a wildcard in a topic [MQTT-3.3.2-2]',
    framed(0x30, Buffer.concat([Buffer.from([0, 1, 0x23]), Buffer.from('x')])),
  ],
  ['a topic longer than its packet', framed(0x30, Buffer.from([0xff, 0xff, 0x61]))],
  ['a reserved packet type', Buffer.from([0xf7, 0])],
  ['SUBSCRIBE without a filter [MQTT-3.8.3-3]', framed(0x82, Buffer.from([0, 9]))],
]
const PATIENCE_MS = 12_000

export const malformedPackets: Attack = {
  name: 'malformed-packets',
  about: 'A client sends invalid MQTT',
  run: async ({ attacker, maxWaitMs }) => {
    const patienceMs = Math.max(PATIENCE_MS, maxWaitMs)
    const stayed: string[] = []
    for (const [what, firstBytes] of BEFORE) {
      const peer = attacker.open({ firstBytes })
      if (!(await peer.closed(patienceMs))) stayed.push(what)
      peer.destroy()
    }
    for (const [what, bytes] of AFTER) {
      const peer = await attacker.connect()
      peer.send(bytes)
      if (!(await peer.closed(patienceMs))) stayed.push(what)
      peer.destroy()
    }
    if (stayed.length === 0) return held(`${BEFORE.length + AFTER.length} connections were closed`)
    return fell(`the broker did not close the connection after ${stayed.join(', ')}`, 'Update the broker')
  },
}
