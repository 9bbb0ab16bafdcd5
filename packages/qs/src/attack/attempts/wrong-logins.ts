import { randomBytes } from 'node:crypto'
import { type Attack, fell, held, skipped } from '../attack.ts'

const LOGINS = 400
const NEWCOMER_MS = 2_000

export const wrongLogins: Attack = {
  name: 'wrong-logins',
  about: `${LOGINS} wrong passwords at once`,
  run: async ({ attacker, victim, hasAccounts }) => {
    if (!hasAccounts) return skipped('the broker requires no password')
    const peers = Array.from({ length: LOGINS }, () =>
      attacker.open({ username: attacker.deviceId, password: randomBytes(8).toString('hex') }),
    )
    try {
      const startMs = performance.now()
      const newcomer = await victim.connect()
      newcomer.destroy()
      const ms = performance.now() - startMs
      const accepted = await Promise.all(peers.slice(0, 5).map(isAccepted))
      if (accepted.includes(true))
        return fell('a wrong password was accepted', 'Check the accounts of the broker')
      if (ms <= NEWCOMER_MS) return held(`another board logged in within ${ms.toFixed(0)} ms`)
      return fell(
        `another board needed ${(ms / 1000).toFixed(1)} s to log in`,
        'Check the load of the broker',
      )
    } finally {
      for (const peer of peers) peer.destroy()
    }
  },
}

async function isAccepted(
  peer: ReturnType<Parameters<Attack['run']>[0]['attacker']['open']>,
): Promise<boolean> {
  try {
    return (await peer.next('connack')).returnCode === 0
  } catch {
    return false
  }
}
