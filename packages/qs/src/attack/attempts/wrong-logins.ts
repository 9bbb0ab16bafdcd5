import { randomBytes } from 'node:crypto'
import { type Attack, fell, skipped } from '../attack.ts'
import { newcomer } from '../newcomer.ts'

const LOGINS = 400

export const wrongLogins: Attack = {
  name: 'wrong-logins',
  about: `${LOGINS} wrong passwords at once`,
  run: async ({ attacker, victim, hasAccounts, maxWaitMs }) => {
    if (!hasAccounts) return skipped('the broker requires no password')
    const peers = Array.from({ length: LOGINS }, () =>
      attacker.open({ username: attacker.deviceId, password: randomBytes(8).toString('hex') }),
    )
    try {
      const verdict = await newcomer(victim, maxWaitMs)
      const accepted = await Promise.all(peers.slice(0, 5).map(isAccepted))
      if (accepted.includes(true))
        return fell('a wrong password was accepted', 'Check the accounts of the broker')
      return verdict
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
