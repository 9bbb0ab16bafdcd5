import type { Attack } from '../attack.ts'
import { newcomer } from '../newcomer.ts'

const CONNECTIONS = 100

/** Connections that never send a CONNECT must not keep a board from connecting. */
export const silentConnections: Attack = {
  name: 'silent-connections',
  about: `${CONNECTIONS} clients connect and send nothing`,
  run: async ({ attacker, victim, maxWaitMs }) => {
    const peers = Array.from({ length: CONNECTIONS }, () => attacker.open({ firstBytes: Buffer.of(0x10) }))
    try {
      return await newcomer(victim, maxWaitMs)
    } finally {
      for (const peer of peers) peer.destroy()
    }
  },
}
