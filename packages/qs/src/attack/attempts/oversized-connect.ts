import { type Attack, fell, held } from '../attack.ts'

const CONNECTIONS = 20
/** The beginning of a CONNECT of 14 MiB, as announced by its fixed header [MQTT-2.2.3]. */
const HEADER = Buffer.concat([
  Buffer.from([0x10, 0x80, 0x80, 0x80, 0x07, 0, 4]),
  Buffer.from('MQTT'),
  Buffer.from([4, 0xc2, 0, 60, 0xff, 0xff]),
])
/** Bytes sent: enough for a broker that limits CONNECT to close the connection. */
const SENT_BYTES = 1024 * 1024
const PATIENCE_MS = 5_000

export const oversizedConnect: Attack = {
  name: 'oversized-connect',
  about: `${CONNECTIONS} clients announce a CONNECT of 14 MiB before any login`,
  run: async ({ attacker, maxWaitMs }) => {
    const firstBytes = Buffer.concat([HEADER, Buffer.alloc(SENT_BYTES)])
    const startMs = performance.now()
    const peers = Array.from({ length: CONNECTIONS }, () => attacker.open({ firstBytes }))
    try {
      const patienceMs = Math.max(PATIENCE_MS, maxWaitMs)
      const closed = await Promise.all(peers.map((peer) => peer.closed(patienceMs)))
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
      const left = closed.filter((isClosed) => !isClosed).length
      if (left === 0) return held(`all closed within ${seconds} s`)
      return fell(
        `${left} of ${CONNECTIONS} are still connected after ${seconds} s`,
        'Use a broker that limits the size of CONNECT, such as Mosquitto 2 or qs up',
      )
    } finally {
      for (const peer of peers) peer.destroy()
    }
  },
}
