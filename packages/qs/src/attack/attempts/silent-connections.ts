import { type Attack, fell, held } from '../attack.ts'

const CONNECTIONS = 100
const NEWCOMER_MS = 2_000

/** Connections that never send a CONNECT must not keep a board from connecting. */
export const silentConnections: Attack = {
  name: 'silent-connections',
  about: `${CONNECTIONS} clients connect and send nothing`,
  run: async ({ attacker, victim }) => {
    const peers = Array.from({ length: CONNECTIONS }, () => attacker.open({ firstBytes: Buffer.of(0x10) }))
    try {
      const startMs = performance.now()
      const newcomer = await victim.connect()
      newcomer.destroy()
      const ms = performance.now() - startMs
      if (ms <= NEWCOMER_MS) return held(`another board connected in ${ms.toFixed(0)} ms`)
      return fell(
        `another board needed ${(ms / 1000).toFixed(1)} s to connect`,
        'Check the load of the broker',
      )
    } finally {
      for (const peer of peers) peer.destroy()
    }
  },
}
